"""The IoU figure: the deck's arithmetic, every form from the operators, boxes apart, and refusals."""

import json

import pytest

from tinycnn.errors import ArgumentError
from tinycnn.study import iou_figure
from tinycnn.study.iou_figure import iou_svg


def test_steps_by_hand():
    figure = iou_figure([0, 0, 4, 4], [2, 1, 6, 5])
    assert [figure.value(name) for name in ("area A", "area B", "intersection I", "union U")] == [16, 16, 6, 26]
    assert figure.value("IoU") == pytest.approx(6 / 26)
    assert figure.value("GIoU") == pytest.approx(6 / 26 - 4 / 30)
    assert figure.value("DIoU") == pytest.approx(6 / 26 - 5 / 61, rel=1e-6)
    assert figure.value("CIoU") == pytest.approx(figure.value("DIoU"))  # both are squares
    assert figure.value("IoU, +1 rule") == pytest.approx(12 / 38)
    assert "max(0, 4 - 2) · max(0, 4 - 1) = 2·3" in figure.text()
    assert 'class="common"' in iou_svg(figure)


def test_formats_agree_and_boxes_apart_share_nothing():
    corners = iou_figure([0, 0, 4, 4], [2, 1, 6, 5])
    assert iou_figure([0, 0, 4, 4], [2, 1, 4, 4], "xywh") == iou_figure([2, 2, 4, 4], [4, 3, 4, 4], "cxcywh") == corners
    apart = iou_figure([0, 0, 1, 1], [3, 0, 4, 1])
    assert apart.value("IoU") == 0 and apart.value("GIoU") == pytest.approx(-0.5)
    assert 'class="common"' not in iou_svg(apart)


def test_command(run_iou, tmp_path):
    code, out, _ = run_iou("iou", "0 0 4 4", "2,1,6,5", "--html", tmp_path / "page.html", "--json")
    assert code == 0 and json.loads(out)["steps"][4]["value"] == pytest.approx(6 / 26)
    assert "6 / 26" in (tmp_path / "page.html").read_text()
    assert "four numbers such as" in run_iou("iou", "0 0 4", "0 0 1 1")[2]
    assert "is fmt='xyxy' right?" in run_iou("iou", "4 4 0 0", "0 0 1 1")[2]


@pytest.fixture
def run_iou(capsys):
    from tinycnn.cli import main

    def run(*arguments):
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.mark.parametrize(
    ("boxes", "options", "message"),
    [
        (([0, 0, 1], [0, 0, 1, 1]), {}, "four finite numbers"),
        (([0, 0, 1, float("nan")], [0, 0, 1, 1]), {}, "four finite numbers"),
        (([0, 0, 1, 0], [0, 0, 1, 1]), {}, "x2 > x1 and y2 > y1"),
        (([0, 0, 1, 1], [0, 0, 1, 1]), {"fmt": "xxyy"}, "fmt must be one of"),
    ],
)
def test_errors_name_the_rule(boxes, options, message):
    with pytest.raises(ArgumentError, match=message):
        iou_figure(*boxes, **options)
