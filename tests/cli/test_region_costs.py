"""`tinycnn region-costs`: text, JSON, page, refusals."""

import json


def test_a_small_vgg(run_main, tmp_path):
    page = tmp_path / "costs.html"
    options = ("--image-size", "96", "128", "--crop", "67", "--regions", "100", "--proposals", "10", "--html", page, "--json")
    code, out, said = run_main("region-costs", "vgg11_cifar", *options)
    assert code == 0 and "Faster R-CNN" in said and "Published" in page.read_text()
    result = json.loads(out)
    assert result["total"]["R-CNN"] == 100 * (result["features_of_region"] + result["head"])
    assert result["total"]["Faster R-CNN"] == result["features_of_image"] + result["proposal_network"] + 10 * result["head"]
    assert result["head"] == 256 * 10
    assert result["files"] == [str(page)] and result["seconds"] is None


def test_refusals(run_main):
    for words, sentence in (
        (("lenet5",), "it is not made of features and a classifier"),
        (("vgg61",), "did you mean"),
        (("alexnet", "--regions", "0"), "must be a whole number from 1 up"),
        (("alexnet", "--image-size", "600"), "--image-size"),
    ):
        code, out, said = run_main("region-costs", *words)
        assert code == 2 and sentence in said + out and "Traceback" not in said + out
