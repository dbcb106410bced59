"""Label maps: readers against files written here and the real sets where they lie, drawn shapes, and changes that move both alike."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.data.published_formats import SHARED
from tinycnn.data import (
    CAMVID_CLASSES,
    VOC_NAMES,
    MaskMaps,
    ShapesDetection,
    instance_targets,
    known_name,
    load_label_maps,
    read_label_map,
)
from tinycnn.data.transforms import (
    ColorJitter,
    ImageOnly,
    JointAffine,
    JointCompose,
    JointElastic,
    JointHorizontalFlip,
    JointRandomCrop,
    JointScale,
    RandomCrop,
    mosaic,
)
from tinycnn.errors import ArgumentError, DataError, ShapeError


def write_camvid(root, classes=None, value=11):
    """Two training pictures and one each for val and test, laid out as CamVid is."""
    for split, count in (("train", 2), ("val", 1), ("test", 1)):
        (root / split).mkdir(parents=True)
        (root / f"{split}annot").mkdir()
        for number in range(count):
            Image.new("RGB", (6, 4), (number, 9, 200)).save(root / split / f"{number}.png")
            labels = np.zeros((4, 6), np.uint8)
            labels[0], labels[1, 1] = value, 2
            Image.fromarray(labels).save(root / f"{split}annot" / f"{number}.png")
    if classes is not None:
        (root / "classes.txt").write_text("\n".join(classes) + "\n")
    return root


def test_camvids_layout_with_its_void_class(tmp_path):
    data = load_label_maps(write_camvid(tmp_path / "camvid"))
    assert len(data) == 2 and data.classes == CAMVID_CLASSES and len(data.first(1)) == 1
    picture, labels = data[1]
    assert picture.shape == (4, 6, 3) and picture[0, 0].tolist() == [1, 9, 200]
    assert labels.dtype == np.uint8 and (labels[0] == 255).all() and labels[1, 1] == 2 and labels[3, 5] == 0
    assert len(load_label_maps(tmp_path / "camvid", "val")) == 1


def test_own_classes_by_a_file_of_names(tmp_path):
    data = load_label_maps(write_camvid(tmp_path / "mine", ["sky", "", "ground", "tree"], value=3))
    assert data.classes == ("sky", "ground", "tree")
    assert (data[0][1][0] == 255).all()
    assert load_label_maps(tmp_path / "mine", classes=["a", "b", "c", "d"])[0][1].max() == 3
    (tmp_path / "mine" / "classes.txt").write_text("\n")
    with pytest.raises(DataError, match="names 0 classes"):
        load_label_maps(tmp_path / "mine")
    (tmp_path / "mine" / "classes.txt").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(DataError, match="cannot be read as a list of names"):
        load_label_maps(tmp_path / "mine")


def test_nuclei_layout_every_fifth_is_for_testing(tmp_path):
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
    for number in range(11):
        Image.new("RGB", (5, 5)).save(tmp_path / "images" / f"{number:02d}.png")
        Image.fromarray(np.full((5, 5), 300 + number, np.uint16)).save(tmp_path / "labels" / f"{number:02d}.png")
    learn, test = load_label_maps(tmp_path), load_label_maps(tmp_path, "test")
    assert (len(learn), len(test)) == (8, 3) and learn.classes == ()
    assert [int(test[i][1].max()) for i in range(3)] == [300, 305, 310]
    assert test[0][1].dtype == np.int32


def test_what_is_wrong_with_files_is_said(tmp_path):
    root = write_camvid(tmp_path / "camvid", value=12)
    with pytest.raises(DataError, match="holds class 12, but there are 11 classes"):
        load_label_maps(root)[0]
    Image.new("L", (5, 4)).save(root / "trainannot" / "0.png")
    with pytest.raises(DataError, match=r"is 4x5, its picture 4x6"):
        load_label_maps(root)[0]
    Image.new("RGB", (6, 4)).save(root / "trainannot" / "0.png")
    with pytest.raises(DataError, match="mode RGB; a label map is a grey or palette PNG"):
        load_label_maps(root)[0]
    (root / "trainannot" / "0.png").write_bytes(b"nonsense")
    with pytest.raises(DataError, match="no PNG that can be read"):
        load_label_maps(root)[0]
    (root / "trainannot" / "0.png").unlink()
    with pytest.raises(DataError, match="has no label map"):
        load_label_maps(root)
    with pytest.raises(DataError, match="no such file"):
        read_label_map(tmp_path / "nothing.png")
    with pytest.raises(DataError, match="neither train/ and trainannot/"):
        load_label_maps(tmp_path)
    with pytest.raises(DataError, match="neither a folder here nor one of the names shapes, camvid, nuclei"):
        load_label_maps("camvidd")
    (tmp_path / "empty" / "images").mkdir(parents=True)
    (tmp_path / "empty" / "labels").mkdir()
    with pytest.raises(DataError, match="holds no pictures"):
        load_label_maps(tmp_path / "empty")
    with pytest.raises(ArgumentError, match="split must be one of"):
        load_label_maps("shapes", "all")


def test_a_set_that_is_not_here_names_the_place(tmp_path, monkeypatch):
    monkeypatch.setattr("tinycnn.data.label_maps.data_folders", lambda: [tmp_path])
    with pytest.raises(DataError, match=r"camvid: not found; put it into .*camvid, or give its folder; it is not downloaded"):
        load_label_maps("camvid")
    write_camvid(tmp_path / "camvid_half")
    assert len(load_label_maps("camvid")) == 2
    assert known_name(tmp_path / "camvid_half") == "camvid" and known_name("mine") == "mine"


def test_a_palette_gives_numbers_not_colours(tmp_path):
    picture = Image.new("P", (2, 1), 7)
    picture.putpalette([200, 10, 10] * 256)
    picture.save(tmp_path / "palette.png")
    assert read_label_map(tmp_path / "palette.png").tolist() == [[7, 7]]


def test_targets_of_a_detector():
    labels = np.zeros((5, 6), np.int32)
    labels[1:3, 2:5], labels[4, 0] = 4, 9
    targets = instance_targets(labels)
    assert targets["boxes"].tolist() == [[2, 1, 5, 3], [0, 4, 1, 5]] and targets["labels"].tolist() == [1, 1]
    np.testing.assert_array_equal(targets["masks"][0], labels == 4)
    nothing = instance_targets(np.zeros((3, 3), int))
    assert nothing["boxes"].shape == (0, 4) and nothing["masks"].shape == (0, 3, 3)
    with pytest.raises(DataError, match=r"whole numbers \(H, W\), not float64"):
        instance_targets(np.zeros((3, 3)))


def test_shapes_are_drawn_alike_and_splits_differ():
    data = load_label_maps("shapes")
    assert len(data) == 200 and data.classes == ("background", "triangle", "half disc", "arrow") and data[0][1].shape == (64, 64)
    assert len(load_label_maps("shapes", "test")) == 40 and len(data.first(None)) == 200 and len(data.first(300)) == 200
    for one, other in zip(data[5], load_label_maps("shapes").first(6)[5], strict=True):
        np.testing.assert_array_equal(one, other)
    firsts = [load_label_maps("shapes", split)[0][0] for split in ("train", "val", "test")]
    assert all((firsts[one] != firsts[two]).any() for one, two in ((0, 1), (0, 2), (1, 2)))
    assert set(np.unique(np.concatenate([data[i][1].ravel() for i in range(20)]))) == {0, 1, 2, 3}
    with pytest.raises(IndexError):
        data[200]
    with pytest.raises(IndexError):
        data.first(6)[6]


def test_masks_become_label_maps():
    drawn = ShapesDetection(3, 96, objects=(3, 3))
    classes, cells = MaskMaps(drawn), MaskMaps(drawn, instances=True)
    image, target = drawn[1]
    picture, labels = classes[1]
    assert picture.dtype == np.uint8 and labels.dtype == np.uint8 and cells[1][1].dtype == np.int32
    np.testing.assert_allclose(picture.transpose(2, 0, 1) / 255, image, atol=0.5 / 255 + 1e-6)
    np.testing.assert_array_equal(labels, (target["masks"] * target["labels"][:, None, None]).sum(0))
    np.testing.assert_array_equal(cells[1][1], (target["masks"] * np.arange(1, 4)[:, None, None]).sum(0))
    assert cells.classes == () and cells.first(2).classes == () and len(cells.first(2)) == 2
    bare = drawn.with_transform(lambda image, target: (image, {"boxes": target["boxes"]}))
    with pytest.raises(ArgumentError, match="targets of ShapesDetection have no masks"):
        MaskMaps(bare)[0]


def test_voc_has_21_names():
    assert len(VOC_NAMES) == 21 and VOC_NAMES[15] == "person"


# Changes that move both


def move(transform, picture, labels, seed=0):
    """Both, changed alike."""
    moved, target = transform(picture, {"label_map": labels}, np.random.default_rng(seed))
    return moved, target["label_map"]


def striped(height=12, width=10):
    """A picture whose red channel holds ten times the label."""
    labels = np.random.default_rng(3).integers(0, 20, (height, width)).astype(np.uint8)
    picture = np.repeat((labels * 10)[..., None], 3, axis=2)
    return picture, labels


@given(st.integers(0, 1000), st.integers(1, 16), st.integers(1, 16))
def test_crops_and_flips_move_both_alike(seed, height, width):
    picture, labels = striped()
    both = JointCompose([JointHorizontalFlip(0.5), JointRandomCrop((height, width), fill=0)])
    cut, classes = move(both, picture, labels, seed)
    assert cut.shape == (height, width, 3) and classes.shape == (height, width)
    inside = classes != 255
    np.testing.assert_array_equal(cut[..., 0][inside], classes[inside] * 10)
    assert inside.sum() == min(height, 12) * min(width, 10) and not cut[~inside].any()


@given(st.floats(0.4, 2.5))
def test_scaling_invents_no_class(factor):
    picture, labels = striped()
    scaled, classes = move(JointScale(factor, factor), picture, labels)
    assert scaled.shape[:2] == classes.shape == (round(12 * factor), round(10 * factor))
    assert set(np.unique(classes)) <= set(np.unique(labels))


def test_elastic_bends_both_and_ignores_the_outside():
    labels = np.zeros((40, 40), np.uint8)
    labels[10:30, 10:30] = 1
    picture = np.repeat((labels * 200)[..., None], 3, axis=2)
    bent, classes = move(JointElastic(alpha=60.0, sigma=4.0), picture, labels, 1)
    assert set(np.unique(classes)) <= {0, 1, 255} and (classes != labels).any()
    sure = (classes != 255) & ((bent[..., 0] > 150) | (bent[..., 0] < 50))
    assert ((bent[..., 0] > 100) == (classes == 1))[sure].mean() > 0.98
    wide = move(JointElastic(alpha=60.0, sigma=4.0), picture, labels.astype(np.int32) * 400, 1)[1]
    np.testing.assert_array_equal(wide == 400, classes == 1)


def test_turning_moves_both_alike():
    picture, labels = striped(10, 10)
    turned, classes = move(JointAffine((90, 90), interpolation="nearest"), picture, labels)
    np.testing.assert_array_equal(classes, np.rot90(labels, -1))
    np.testing.assert_array_equal(turned[..., 0], classes * 10)
    _, classes = move(JointAffine((45, 45)), picture, labels)
    assert (classes[[0, 0, -1, -1], [0, -1, 0, -1]] == 255).all() and set(np.unique(classes)) <= {*np.unique(labels), 255}


def test_a_mosaic_joins_the_label_maps():
    picture, labels = striped(8, 8)
    joined, target = mosaic([(picture, {"label_map": labels})] * 4, (8, 8), np.random.default_rng(0))
    np.testing.assert_array_equal(joined[..., 0], target["label_map"] * 10)


def test_as_many_boxes_as_rows_leave_the_label_map_whole():
    labels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    boxes = np.array([[0, 0, 1, 1], [2, 0, 4, 2], [3, 1, 4, 3]], np.float32)
    cut = JointRandomCrop((3, 1), min_visible=1.0)(np.zeros((3, 4), np.uint8), {"boxes": boxes, "label_map": labels}, np.random.default_rng(1))[1]
    assert len(cut["boxes"]) < 3 and cut["label_map"].shape == (3, 1)


def test_colour_changes_the_picture_alone():
    picture, labels = striped()
    changed, classes = move(ImageOnly(ColorJitter(0.5)), picture, labels)
    assert (changed != picture).any()
    np.testing.assert_array_equal(classes, labels)
    with pytest.raises(ShapeError, match="use a joint transform"):
        move(ImageOnly(RandomCrop(4)), picture, labels)


def test_label_maps_that_do_not_fit_are_refused():
    picture, labels = striped()
    for wrong in (labels[:3], labels.astype(np.float32)):
        with pytest.raises(ShapeError, match=r"label_map .* must hold whole numbers, \(12, 10\) as the image"):
            move(JointHorizontalFlip(), picture, wrong)
    with pytest.raises(ArgumentError, match=r"or with 'label_map' \(H, W\)"):
        JointHorizontalFlip()(picture, {"labels": labels})
    with pytest.raises(ArgumentError, match="0 < low <= high"):
        JointScale(2.0, 1.0)


# The real sets, where they lie


@pytest.mark.skipif(not (SHARED / "camvid_half").is_dir(), reason="no CamVid in ../shared/data")
def test_camvid_is_as_its_readme_says():
    sizes = {split: len(load_label_maps(SHARED / "camvid_half", split)) for split in ("train", "val", "test")}
    assert sizes == {"train": 367, "val": 101, "test": 233}
    picture, labels = load_label_maps(SHARED / "camvid_half")[0]
    assert picture.shape == (180, 240, 3)
    assert set(np.unique(labels)) <= {*range(11), 255}
    sky, road = (np.nonzero(labels == CAMVID_CLASSES.index(name))[0].mean() for name in ("sky", "road"))
    assert sky < 60 and road > 120  # rows: the names are in the order of the numbers


@pytest.mark.skipif(not (SHARED / "dsb2018_256").is_dir(), reason="no nuclei in ../shared/data")
def test_nuclei_are_as_their_readme_says():
    learn, test = load_label_maps(SHARED / "dsb2018_256"), load_label_maps(SHARED / "dsb2018_256", "test")
    assert (len(learn), len(test)) == (267, 67)
    counts = [sum(len(np.unique(data[i][1])) - 1 for i in range(len(data))) for data in (learn, test)]
    assert sum(counts) == 9543
    picture, labels = test[0]
    assert picture.shape == (256, 256, 3)
    assert len(instance_targets(labels)["boxes"]) == labels.max()
