"""Headless Chromium driven through its debugging pipe: keys, files, sizes and colours as a reader has them, in real time."""

import base64
import json
import os
import shutil
import subprocess
import time

from tests.cli.test_browser import FLAGS


class Browser:
    """One tab. `problems` collects console errors, exceptions and refused requests; `requests` every address asked for."""

    def __init__(self, profile):
        to_read, self._write = os.pipe()
        self._read, to_write = os.pipe()

        def take_over():  # Chromium reads its commands from descriptor 3 and answers on 4
            # Through high numbers first, as 3 or 4 may be among the pipes' own.
            os.dup2(to_read, 100)
            os.dup2(to_write, 101)
            os.dup2(100, 3)
            os.dup2(101, 4)

        command = [shutil.which("chromium") or "chromium", *FLAGS, "--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank"]
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._process = subprocess.Popen(command, preexec_fn=take_over, close_fds=False, **quiet)
        os.close(to_read)
        os.close(to_write)
        self._number, self._buffer, self.problems, self.requests = 0, b"", [], []
        self._session = None
        target = next(each for each in self.send("Target.getTargets")["targetInfos"] if each["type"] == "page")
        self._session = self.send("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "DOM"):
            self.send(f"{domain}.enable")

    def send(self, method, **params):
        """One command and its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]
            self._note(answer)

    def _receive(self):
        while b"\0" not in self._buffer:
            piece = os.read(self._read, 1 << 20)
            assert piece, "Chromium has gone"
            self._buffer += piece
        text, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(text)

    def _note(self, event):
        method, params = event.get("method"), event.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        if method == "Runtime.exceptionThrown" or (method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning")):
            self.problems.append(params)
        if method == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.problems.append(params["entry"]["text"] + " " + params["entry"].get("url", ""))

    def open(self, url):
        self.send("Page.navigate", url=url)

    def evaluate(self, expression, may_fail=False):
        """The value of a JavaScript expression; None for one that fails and may, as a page that still loads has nothing yet."""
        result = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert may_fail or "exceptionDetails" not in result, result
        return None if "exceptionDetails" in result else result["result"].get("value")

    def until(self, expression, seconds=20):
        """Ask until the expression is true; its value."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if value := self.evaluate(expression, may_fail=True):
                return value
            time.sleep(0.05)
        raise AssertionError(f"never true: {expression}; {self.problems}")

    def press(self, key, text=""):
        code = {" ": "Space"}.get(key, key)
        for kind in ("keyDown", "keyUp"):
            self.send(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=code,
                **({"text": text or (key if len(key) == 1 else "")} if kind == "keyDown" else {}),
            )

    def type(self, text):
        self.send("Input.insertText", text=text)

    def choose_file(self, selector, path):
        root = self.send("DOM.getDocument")["root"]["nodeId"]
        node = self.send("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.send("DOM.setFileInputFiles", nodeId=node, files=[str(path)])

    def size(self, width, height):
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)

    def colours(self, scheme):
        self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def screenshot(self, path):
        data = self.send("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        path.write_bytes(base64.b64decode(data))

    def close(self):
        try:
            self.send("Browser.close")
        except (AssertionError, OSError):
            pass
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._write)
        os.close(self._read)
