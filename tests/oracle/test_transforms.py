"""Colour, warps and mixing agree with torchvision's on float images, given the same choices."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
functional = pytest.importorskip("torchvision.transforms.v2.functional")

from tinycnn.data.transforms import ElasticTransform, RandomErasing  # noqa: E402
from tinycnn.data.transforms.colour import adjust  # noqa: E402
from tinycnn.data.transforms.warp import AffineChoice, affine  # noqa: E402

pytestmark = pytest.mark.torch
IMAGE = np.random.default_rng(0).random((3, 17, 22)).astype(np.float32)


@pytest.mark.parametrize("factor", [0.0, 0.3, 1.0, 1.9])
@pytest.mark.parametrize("name", ["brightness", "contrast", "saturation"])
def test_colours(name, factor):
    theirs = getattr(functional, f"adjust_{name}")(torch.from_numpy(IMAGE), factor).numpy()
    np.testing.assert_allclose(adjust(IMAGE, name, factor), theirs, atol=2e-4 if name != "brightness" else 1e-6)


@pytest.mark.parametrize("turns", [-0.5, -0.1, 0.0, 0.27, 0.5])
def test_hue(turns):
    np.testing.assert_allclose(adjust(IMAGE, "hue", turns), functional.adjust_hue(torch.from_numpy(IMAGE), turns).numpy(), atol=1e-5)


@pytest.mark.parametrize("fill", [0.0, 0.7])
@pytest.mark.parametrize(
    "choice",
    [
        AffineChoice(30.0, (0, 0), 1.0, (0.0, 0.0)),
        AffineChoice(-12.5, (3, -2), 0.8, (0.0, 0.0)),
        AffineChoice(77.0, (-1, 4), 1.3, (12.0, -7.0)),
    ],
)
def test_affine_maps(choice, fill):
    # Given a fill, torchvision weighs border pixels twice with their share of the image; shifted by the fill they need none.
    theirs = fill + functional.affine(
        torch.from_numpy(IMAGE).double() - fill,
        choice.angle,
        list(choice.translate),
        choice.scale,
        list(choice.shear),
        interpolation=functional.InterpolationMode.BILINEAR,
        fill=None,
    ).numpy()
    # torchvision builds its grid in float32.
    np.testing.assert_allclose(affine(IMAGE.astype(np.float64), choice, "bilinear", fill), theirs, atol=2e-4)


def test_an_elastic_displacement():
    displacement = 2 * np.random.default_rng(1).standard_normal((2, 17, 22))
    rows, columns = displacement * 2 / np.array([17, 22])[:, None, None]
    theirs = functional.elastic(
        torch.from_numpy(IMAGE).double(), torch.from_numpy(np.stack([columns, rows], -1)[None]), functional.InterpolationMode.BILINEAR, fill=None
    )
    np.testing.assert_allclose(ElasticTransform().apply(IMAGE.astype(np.float64), displacement), theirs.numpy(), atol=1e-4)


def test_erasing_a_box():
    theirs = functional.erase(torch.from_numpy(IMAGE), 3, 5, 4, 6, torch.tensor(0.5)).numpy()
    np.testing.assert_array_equal(RandomErasing(value=0.5).apply(IMAGE, (3, 5, 4, 6)), theirs)


def test_the_defaults_are_torchvisions():
    from torchvision.transforms import v2

    theirs = v2.RandomErasing()
    ours = RandomErasing()
    assert (ours.p, ours.scale, ours.ratio) == (theirs.p, tuple(theirs.scale), tuple(theirs.ratio))
    bent = v2.ElasticTransform()
    assert [ElasticTransform().alpha] * 2 == bent.alpha and [ElasticTransform().sigma] * 2 == bent.sigma
