"""The live page: who is answered, what a tab may change, and that nothing it does disturbs the training."""

import contextlib
import http.client
import io
import json
import socket
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import numpy as np
import pytest
from PIL import Image

import tinycnn
from tinycnn import models, nn
from tinycnn.data import Subset, load_dataset
from tinycnn.errors import UsageError
from tinycnn.train import TrainConfig, load_checkpoint, prepare, train
from tinycnn.train.live import LivePage
from tinycnn.train.live import page as page_module
from tinycnn.train.live.controls import Overrides

CONFIG = TrainConfig(epochs=3, batch_size=16, learning_rate=0.05)  # 6 steps an epoch


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(page_module, "FAREWELL", 0.0)
    monkeypatch.setattr(page_module, "PATIENCE", 5.0)


class Training:
    """A run in a thread of its own, with its page."""

    def __init__(self, page, build, sets, config, **options):
        self.page, self.result, self.error = page, None, None
        self.prepared = prepare(build, *sets, config)
        self._thread = threading.Thread(target=self._run, args=(config, options))
        self._thread.start()

    def _run(self, config, options):
        try:
            self.result = train(*self.prepared, config, show=False, watcher=self.page, **options)
        except Exception as error:
            self.error = error

    def state(self, query=""):
        return json.loads(call(self.page, "state" + query)[1])

    def until(self, step):
        """The state once so many steps are taken and the run stands still."""
        for _ in range(500):
            state = self.state()
            if state.get("step") == step and state["status"] != "learning":
                return state
            time.sleep(0.01)
        raise AssertionError(state)

    def finish(self):
        call(self.page, "control", b'{"pause": false}')
        self._thread.join(30)
        assert not self._thread.is_alive()
        return self.result


def call(page, name, body=None, headers=None):
    """Status and body of one request."""
    request = urllib.request.Request(page.url + name, body, headers or {})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def wish(page, **wishes):
    status, answer = call(page, "control", json.dumps(wishes).encode())
    assert status == 200, answer
    return json.loads(answer)["said"]


def png(size=(4, 4), mode="L", colour=200):
    file = io.BytesIO()
    Image.new(mode, size, colour).save(file, "PNG")
    return file.getvalue()


def noise():
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64)).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def weights(model):
    return {name: value.data.copy() for name, value in model.state_dict().items()}


def same(left, right):
    return left.keys() == right.keys() and all(np.array_equal(left[name], right[name]) for name in left)


@pytest.fixture
def paused(small_net, stripes):
    """A run that waits before its first step; it is finished afterwards, whatever the test did to it."""
    with LivePage(port=0, paused=True) as page:
        run = Training(page, small_net, stripes, CONFIG, run_info={"model": "small/net", "data": "stripes", "classes": ["top", "second", "third"]})
        run.until(0)
        yield run
        run.finish()
    assert run.error is None
    assert run.result.epochs[-1].epoch == 3


def ask(page, path, host=None, method="GET", body=None, headers=()):
    """A request written by hand: (status, text)."""
    connection = http.client.HTTPConnection("127.0.0.1", urllib.parse.urlsplit(page.url).port, timeout=10)
    with contextlib.closing(connection):
        connection.putrequest(method, path, skip_host=host is not None)
        if host is not None:
            connection.putheader("Host", host)
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


# Who is answered


def test_nobody_is_answered_without_token_and_host():
    with LivePage(port=0) as page:
        token, port = page.url.split("/")[3], urllib.parse.urlsplit(page.url).port
        assert len(token) >= 32
        for path in ("/", "/state", f"/{token[:-1]}/", f"/{token}x/state", "//", "/%2e%2e/%2e%2e/etc/passwd", f"/x/../{token}/"):
            assert ask(page, path)[0] == 403
        assert "token" in ask(page, "/")[1]
        for host in ("evil.example", f"evil.example:{port}", "127.0.0.1", f"127.0.0.1:{port + 1}", ""):
            assert ask(page, f"/{token}/state", host=host)[0] == 403
        assert ask(page, f"/{token}/state", host=f"localhost:{port}")[0] == 200
        for path in ("nothing", "../../etc/passwd", "state/..", "..%2f..%2fetc%2fpasswd"):
            assert ask(page, f"/{token}/{path}")[0] == 404
        assert ask(page, f"/{token}/control")[0] == ask(page, f"/{token}/state", method="POST", headers=[("Content-Length", "0")])[0] == 405
        with LivePage(port=0) as other:
            assert other.url.split("/")[3] != token


def test_another_site_may_not_post(paused):
    url = urllib.parse.urlsplit(paused.page.url)
    status, text = call(paused.page, "control", b'{"step": 1}', {"Origin": "https://evil.example"})
    assert status == 403 and b"another site" in text
    assert call(paused.page, "control", b'{"step": 1}', {"Origin": "null"})[0] == 403
    assert call(paused.page, "control", b'{"step": 1}', {"Origin": f"http://{url.netloc}"})[0] == 200
    assert paused.until(1)["step"] == 1


def test_the_page_asks_nobody_else():
    with LivePage(port=0) as page, urllib.request.urlopen(page.url) as answer:
        text, policy = answer.read().decode(), answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Frame-Options"] == "DENY" and answer.headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert "http:" not in text and "https:" not in text and "src=" not in text
    assert page.url.split("/")[3] not in text


# What a tab may change


def test_settings_hold_until_they_are_given_back(small_net, stripes, paused):
    alone = train(*prepare(small_net, *stripes, CONFIG), CONFIG, show=False).learning_rates
    said = wish(paused.page, learning_rate=0.123, momentum=0.5, weight_decay=0.01)
    assert said == "learning rate: 0.123; momentum: 0.5; weight decay: 0.01"
    wish(paused.page, step=2)
    settings = paused.until(2)["settings"]
    assert settings["learning_rate"]["page"] == 0.123 and settings["learning_rate"]["planned"] == pytest.approx(alone[2], rel=1e-4)
    assert settings["momentum"] == {"planned": 0.9, "page": 0.5} and settings["weight_decay"] == {"planned": 5e-4, "page": 0.01}
    group = paused.prepared.optimizer.param_groups[0]
    assert (group["momentum"], group["weight_decay"]) == (0.9, 5e-4)  # the plan is untouched between steps
    wish(paused.page, learning_rate=None, momentum=None, weight_decay=None)
    rates = paused.finish().learning_rates
    assert rates[:2] == [0.123, 0.123] and rates[2:] == alone[2:]


def test_a_rate_of_zero_stops_the_weights(paused):
    before = weights(paused.prepared.model)
    wish(paused.page, learning_rate=0, step=2)
    paused.until(2)
    assert same(weights(paused.prepared.model), before)
    wish(paused.page, learning_rate=None, step=1)
    paused.until(3)
    assert not same(weights(paused.prepared.model), before)


def test_overrides_keep_proportions_and_spare_what_decay_spares():
    parameters = [nn.Parameter(np.ones(2, np.float32)) for _ in range(2)]
    groups = [{"params": parameters[:1]}, {"params": parameters[1:], "lr": 0.01, "weight_decay": 0.0}]
    overrides = Overrides(tinycnn.optim.Adam(groups, lr=0.1, weight_decay=0.5))
    assert (overrides.now("learning_rate"), overrides.now("momentum"), overrides.now("weight_decay")) == (0.1, 0.9, 0.5)
    overrides.values = {"learning_rate": 0.2, "momentum": 0.7, "weight_decay": 0.3}
    overrides.write()
    seen = [(group["lr"], group["betas"], group["weight_decay"]) for group in overrides.optimizer.param_groups]
    assert seen == [(0.2, (0.7, 0.999), 0.3), (pytest.approx(0.02), (0.7, 0.999), 0.0)]
    overrides.restore()
    assert [group["lr"] for group in overrides.optimizer.param_groups] == [0.1, 0.01]
    with pytest.raises(UsageError, match="Adagrad has no momentum"):
        Overrides(tinycnn.optim.Adagrad(parameters)).check("momentum", 0.5)
    with pytest.raises(UsageError, match="Nesterov"):
        Overrides(tinycnn.optim.SGD(parameters, lr=1, momentum=0.9, nesterov=True)).check("momentum", 0)


def test_pause_and_single_steps(paused):
    assert paused.state()["status"] == "paused"
    assert wish(paused.page, step=1) == "1 step"
    first = paused.until(1)
    assert {layer["layer"] for layer in first["seen"]["layers"]} == {"0", "1", "2", "3"}
    assert first["seen"]["step"] == 1 and first["gallery"][0]["picture"]["h"] == 4 and first["classes"] == ["top", "second", "third"]
    linear = first["seen"]["layers"][1]
    assert linear["kind"] == "Linear + ReLU" and linear["forward_ms"] > 0 and linear["backward_ms"] > 0 and 0 <= linear["dead"] <= 1
    assert linear["update_ratio"] > 0 and linear["gradient_ratio"] > 0 and linear["gradient"]["picture"]["n"] == 1
    assert sum(linear["weight"]["histogram"]["counts"]) == 24 * 16
    wish(paused.page, step=3)
    state = paused.until(4)
    assert [len(state["curves"][name]) for name in ("loss", "accuracy", "rate")] == [4, 4, 4]
    assert "seen" not in paused.state(f"?since={state['frame']}") and "gallery" not in paused.state(f"?since={state['frame']}")
    wish(paused.page, image=2)
    while (seen := paused.state()["seen"])["image"] != 2:  # also while it pauses
        time.sleep(0.01)
    assert sum(seen["current"]) == pytest.approx(1, abs=1e-3) and seen["current"] == seen["answers"][2]


def test_several_tabs(paused):
    tabs = [threading.Thread(target=lambda: [paused.state() for _ in range(5)]) for _ in range(6)]
    for tab in tabs:
        tab.start()
    wish(paused.page, pause=False)
    for tab in tabs:
        tab.join(30)
        assert not tab.is_alive()


def test_a_snapshot_goes_on_to_the_same_bits(tmp_path, small_net, stripes, paused):
    wish(paused.page, step=8)
    paused.until(8)
    with urllib.request.urlopen(paused.page.url + "snapshot") as answer:
        assert answer.headers["Content-Disposition"] == 'attachment; filename="small-net-step-8.npz"'
        data = answer.read()
    (tmp_path / "checkpoint.npz").write_bytes(data)
    found = load_checkpoint(tmp_path)
    assert same(found.model, weights(paused.prepared.model)) and (found.epoch, found.step) == (1, 2)
    paused.finish()  # first, as dropout draws from the one generator that both runs share
    resumed = prepare(small_net, *stripes, CONFIG)
    train(*resumed, CONFIG, output=tmp_path, resume=True, show=False)
    assert same(weights(resumed.model), weights(paused.prepared.model))


def test_a_dropped_picture(paused):
    status, answer = call(paused.page, "image", png((9, 5), "RGBA", (250, 10, 10, 128)))
    told = json.loads(answer)
    assert status == 200 and told["notes"] == ["resized from 9 x 5"]
    assert len(told["probabilities"]) == 3 and sum(told["probabilities"]) == pytest.approx(1, abs=1e-3)
    state = paused.state()
    assert state["seen"]["image"] is None and state["dropped"]["w"] == 4 and set(state["seen"]["activations"]) == {"0", "1", "2", "3"}
    model = paused.prepared.model
    assert all(module.training for module in model.modules())
    wish(paused.page, image=0)


# What it refuses


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"learning_rate": "fast"}', "'fast' is not a number"),
        (b'{"learning_rate": NaN}', "NaN is not a number that a setting can have"),
        (b'{"learning_rate": -Infinity}', "Infinity is not"),
        (b'{"learning_rate": -0.1}', "must be a number from 0 to 100"),
        (b'{"learning_rate": 1e999}', "must be a number from 0 to 100"),
        (b'{"learning_rate": true}', "is not a number"),
        (b'{"learning_rate": [0.1]}', "is not a number"),
        (b'{"momentum": 1}', "from 0 below 1"),
        (b'{"weight_decay": 1e9}', "from 0 to 10"),
        (b'{"step": 0}', "whole number from 1 to 10000"),
        (b'{"step": 1.5}', "whole number from 1 to 10000"),
        (b'{"image": 99}', "whole number from 0 to 11"),
        (b'{"pause": "yes"}', "must be true or false"),
        (b'{"learnin_rate": 0.1}', "did you mean learning_rate"),
        (b"{}", "must be an object"),
        (b"[1, 2]", "must be an object"),
        (b"lr=0.1", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 9000, "not JSON"),
        (b'{"learning_rate": ' + b"9" * 5000 + b"}", "not JSON"),
        (b'{"learning_rate": 0.2, "momentum": 7}', "momentum: 7 must be"),
    ],
)
def test_nonsense_gets_a_sentence(waiting, body, words):
    status, text = call(waiting.page, "control", body)
    assert status == 400 and words in text.decode() and text.count(b"\n") == 1
    assert all(setting["page"] is None for setting in waiting.state()["settings"].values())


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"hello", "not a picture that can be read"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a picture that can be read"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture that can be read"),
        (noise()[:900], "damaged"),
        (png((6000, 5000), "1", 1), "6000 x 5000 pixels, more than the 25,000,000"),
    ],
)
def test_what_is_no_picture_gets_a_sentence(waiting, data, words):
    status, text = call(waiting.page, "image", data)
    assert status == 400 and words in text.decode()


def test_bodies_without_end(waiting):
    token = waiting.page.url.split("/")[3]
    assert ask(waiting.page, f"/{token}/control", method="POST")[0] == 411
    for length in ("-1", "1e3", "9" * 30):
        assert ask(waiting.page, f"/{token}/control", method="POST", headers=[("Content-Length", length)])[0] == 411
    status, text = call(waiting.page, "image", bytes(16_000_001))
    assert status == 413 and b"16,000,000" in text
    assert call(waiting.page, "control", bytes(20_000))[0] == 413


@pytest.fixture(scope="module")
def waiting():
    """One paused run for all requests that must not change it; it learns on after them."""
    from tests.train.small_problems import make_small_net, make_stripes

    with LivePage(port=0, paused=True) as page:
        run = Training(page, make_small_net, (make_stripes(96, 1), make_stripes(30, 2)), CONFIG)
        run.until(0)
        yield run
        wish(page, step=1)
        run.until(1)
        assert run.finish().epochs[-1].epoch == 3


# That nothing disturbs the training


def digits(count):
    sets = [load_dataset("digits", part) for part in (True, False)]
    return [Subset(each, range(count)) for each in sets]


@pytest.mark.parametrize("problem", ["lenet", "dropout"])
def test_the_same_bits_with_and_without_a_page(monkeypatch, small_net, stripes, problem):
    build, sets = (models.lenet5, digits(96)) if problem == "lenet" else (small_net, stripes)
    config = CONFIG.replace(epochs=2, batch_size=24, clip_norm=5.0)
    alone = prepare(build, *sets, config)
    without = train(*alone, config, show=False)
    monkeypatch.setattr(page_module, "EVERY", 0.0)  # every step is measured, whatever it costs
    monkeypatch.setattr(page_module, "LONGEST", 0.0)
    with LivePage(port=0, paused=True) as page:
        run = Training(page, build, sets, config)
        run.until(0)
        call(page, "image", png((28, 28)))
        tab = threading.Thread(target=lambda: [run.state() for _ in range(10)])
        tab.start()
        result = run.finish()
        frames = run.state()["frame"]
        tab.join()
    assert frames >= 8
    assert result.step_losses == without.step_losses and result.learning_rates == without.learning_rates
    assert same(weights(run.prepared.model), weights(alone.model))
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in run.prepared.model.modules())


def test_nothing_is_measured_while_nobody_looks(monkeypatch, small_net, stripes):
    def never(self):
        raise AssertionError("measured without a tab")

    monkeypatch.setattr(page_module.Sampler, "begin", never)
    config = CONFIG.replace(epochs=1)
    with LivePage(port=0) as page:
        assert train(*prepare(small_net, *stripes, config), config, show=False, watcher=page).exit_code == 0


def test_costly_samples_are_rare(monkeypatch, small_net, stripes):
    begun = []
    monkeypatch.setattr(page_module.Sampler, "begin", lambda self, begin=page_module.Sampler.begin: (begun.append(1), begin(self)))
    monkeypatch.setattr(page_module, "EVERY", 0.0)
    monkeypatch.setattr(page_module, "SHARE", 1e-9)  # any cost is too much, so that the next sample waits for its ten seconds
    with LivePage(port=0) as page:
        call(page, "state")
        train(*prepare(small_net, *stripes, CONFIG), CONFIG, show=False, watcher=page)
    assert len(begun) == 1


def test_a_fault_in_the_page_stays_in_the_page(small_net, stripes):
    def faulty(picture):
        raise ZeroDivisionError("fit divides by zero")

    with LivePage(port=0, paused=True, fit=faulty) as page:
        run = Training(page, small_net, stripes, CONFIG)
        run.until(0)
        status, text = call(page, "image", png())
        assert status == 500 and b"bug in tinycnn" in text and b"ZeroDivisionError" in text
        assert run.finish().exit_code == 0


def test_ctrl_c_ends_the_hold(monkeypatch, small_net, stripes):
    def interrupted():
        raise KeyboardInterrupt

    config = CONFIG.replace(epochs=1)
    with LivePage(port=0) as page:
        train(*prepare(small_net, *stripes, config), config, show=False, watcher=page)
        monkeypatch.setattr(page, "_serve", interrupted)
        page.hold()
    with socket.create_server(("127.0.0.1", urllib.parse.urlsplit(page.url).port)):
        pass


def test_tabs_that_hang_do_not_stop_the_training(small_net, stripes):
    with LivePage(port=0) as page, contextlib.ExitStack() as stack:
        address = ("127.0.0.1", urllib.parse.urlsplit(page.url).port)
        for text in (b"", b"GET /", f"GET {urllib.parse.urlsplit(page.url).path}state HTTP/1.1\r\nHost: 127.0.0.1:{address[1]}\r\n\r\n".encode()):
            for _ in range(4):
                stack.enter_context(socket.create_connection(address)).sendall(text)
        assert train(*prepare(small_net, *stripes, CONFIG), CONFIG, show=False, watcher=page).exit_code == 0


def test_it_says_how_the_run_ended_and_holds(small_net, stripes):
    config = CONFIG.replace(epochs=1)
    with LivePage(port=0) as page:
        assert call(page, "control", b'{"pause": true}')[0] == 503  # nothing has begun
        assert json.loads(call(page, "state")[1])["status"] == "starting"
        result = train(*prepare(small_net, *stripes, config), config, show=False, watcher=page)
        state = json.loads(call(page, "state")[1])
        accuracy = f"{100 * result.epochs[-1].test_accuracy:.2f} %"
        assert state["status"] == "ended" and state["sentence"] == f"The training has ended after 6 steps; test accuracy {accuracy}."
        assert page.ended_by_itself and state["rows"][0]["test_accuracy"] == pytest.approx(result.epochs[-1].test_accuracy, rel=1e-4)
        holding = threading.Thread(target=page.hold)
        holding.start()
        assert call(page, "image", png())[0] == 200
        page.close()
        holding.join(10)
        assert not holding.is_alive()


def test_a_run_that_fails_says_why(monkeypatch, stripes):
    def broken():
        net = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))
        net[1].weight.data[...] = np.nan
        return net

    told = []
    monkeypatch.setattr(LivePage, "close", lambda self, close=LivePage.close: (told.append((self._status, self._sentence)), close(self)))
    with pytest.raises(tinycnn.errors.TrainingError), LivePage(port=0) as page:
        train(*prepare(broken, *stripes, CONFIG), CONFIG, show=False, watcher=page)
    assert told[0][0] == "failed" and "the loss became nan at step 1" in told[0][1]


def test_a_busy_port_names_the_next_free_one():
    with LivePage(port=0) as page:
        port = urllib.parse.urlsplit(page.url).port
        with pytest.raises(UsageError, match=rf"port {port} is in use by another program; \d+ is free: --port \d+"):
            LivePage(port=port)
    with LivePage(port=port):  # free again
        pass
    for wrong in (70000, -1, "8000"):
        with pytest.raises(UsageError, match="whole number from 0"):
            LivePage(port=wrong)


def test_vectors_are_watched_too():
    generator = np.random.default_rng(0)
    sets = [tinycnn.data.TensorDataset(generator.standard_normal((48, 16)).astype(np.float32), np.arange(48) % 3) for _ in range(2)]
    with LivePage(port=0, paused=True) as page:
        run = Training(page, lambda: nn.Linear(16, 3), sets, CONFIG.replace(epochs=1))
        run.until(0)
        wish(page, step=1)
        state = run.until(1)
        assert state["gallery"][0]["picture"]["w"] == 16 and [layer["layer"] for layer in state["seen"]["layers"]] == ["Linear"]
        status, text = call(page, "image", png())
        assert status == 400 and b"only grey (1, H, W) and coloured (3, H, W) ones can be dropped" in text
        assert run.finish().exit_code == 0
