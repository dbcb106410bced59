"""New heads, named parts, staged schedules, features, and parts of one task's network in another's."""

import numpy as np
import pytest

from tests.train.small_problems import make_stripes
from tinycnn import models, nn, optim
from tinycnn.data import ArrayDataset, TensorDataset
from tinycnn.errors import ArgumentError, UsageError
from tinycnn.tensor import Tensor
from tinycnn.train import (
    MODES,
    SIX_STAGES,
    Heads,
    TrainConfig,
    features,
    heads_loss,
    last_layer,
    layer_transfer,
    load_checkpoint,
    model_parts,
    part_groups,
    paths_of,
    read_schedule,
    replace_head,
    run_stages,
    save_checkpoint,
    split_classes,
    with_heads,
)

CONFIG = TrainConfig(epochs=2, batch_size=16, learning_rate=0.1, weight_decay=0.0)
IMAGES, LABELS = make_stripes(96, seed=1).arrays


class Residual(nn.Module):
    """Named as torchvision names a residual network's parts."""

    def __init__(self, classes=3):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(1, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4, activation="relu")
        for stage in range(1, 5):
            self.add_module(f"layer{stage}", nn.Sequential(nn.Conv2d(4, 4, 3, padding=1, activation="relu")))
        self.flatten, self.aux1, self.fc = nn.Flatten(), nn.Linear(64, classes), nn.Linear(64, classes)

    def forward(self, x):
        x = self.bn1(self.conv1(x))
        for stage in range(1, 5):
            x = getattr(self, f"layer{stage}")(x)
        x = self.flatten(x)
        return (self.fc(x), self.aux1(x)) if self.training else self.fc(x)


def bits(model):
    return {name: value.data.copy() for name, value in model.state_dict().items()}


def test_the_parts_of_named_stages_and_of_a_row_of_layers():
    assert model_parts(Residual()) == {
        "stem": ["conv1", "bn1"],
        "stage1": ["layer1"],
        "stage2": ["layer2"],
        "stage3": ["layer3"],
        "stage4": ["layer4", "flatten"],
        "head": ["fc", "aux1"],
    }
    assert model_parts(models.get_model("lenet5")) == {
        "stem": ["conv1", "pool1"],
        "stage1": ["conv2", "pool2", "flatten"],
        "stage2": ["fc1"],
        "stage3": ["fc2"],
        "head": ["fc3"],
    }


def test_one_large_container_is_opened():
    class Vgg(nn.Module):
        def __init__(self):
            super().__init__()
            self.features = nn.Sequential(*[nn.Conv2d(1, 1, 3) for _ in range(9)])
            self.classifier = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2))

    parts = model_parts(Vgg())
    assert parts["stem"] == ["features.0"] and parts["stage1"] == ["features.1", "features.2"] and parts["stage4"] == ["features.7", "features.8"]
    assert parts["head"] == ["classifier"]


@pytest.mark.parametrize(
    ("name", "stem", "last"),
    [
        ("mobilenet_cifar", "conv_stem", "classifier"),
        ("resnet20", "conv1", "linear"),
        ("vgg11_cifar", "features.0", "classifier"),
        ("densenet_cifar", "features.conv0", "classifier"),
    ],
)
def test_the_parts_of_published_networks(name, stem, last):
    model = nn.utils.skip_init(models.get_model, name)
    parts = model_parts(model)
    assert parts["stem"][0] == stem and parts["head"] == [last] and {"stage1", "stage2", "stage3"} <= set(parts)
    paths = [path for part in parts.values() for path in part]
    held = sum(parameter.numel() for path in paths for parameter in model.get_submodule(path).parameters())
    assert len(set(paths)) == len(paths) and held == sum(parameter.numel() for parameter in model.parameters())
    largest = max(sum(parameter.numel() for path in part for parameter in model.get_submodule(path).parameters()) for part in parts.values())
    assert largest < 0.9 * held
    assert replace_head(model, 4) and next(reversed(list(model.parameters()))).shape[0] == 4


def test_names_and_patterns_become_paths():
    model = Residual()
    assert paths_of(model, ["head", "stage4"]) == ["fc", "aux1", "layer4", "flatten"]
    assert paths_of(model, ["layer[12]"]) == ["layer1", "layer2"]
    assert paths_of(model, ["all"]) == [""] and "conv1" in paths_of(model, ["backbone"]) and paths_of(model, ["neck"]) == []
    with pytest.raises(UsageError, match="part: there is no 'stage7'; did you mean 'stage"):
        paths_of(model, ["stage7"])


def test_a_new_head_with_a_neck_and_side_branches():
    model = Residual()
    before = bits(model)
    assert replace_head(model, 5, neck=[7], dropout=0.1) == ["fc", "aux1"]
    main, side = model(Tensor(IMAGES[:2]))
    assert main.shape == side.shape == (2, 5)
    parts = model_parts(model)
    assert parts["neck"] == ["fc.neck"] and parts["head"] == ["fc.head", "aux1"]
    for name, value in bits(model).items():
        if not name.startswith(("fc", "aux", "bn1")):
            np.testing.assert_array_equal(value, before[name])
    squeeze = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Conv2d(4, 10, 1, activation="relu"), nn.Flatten())
    assert replace_head(squeeze, 3) == ["1"] and squeeze[1].weight.shape == (3, 4, 1, 1)
    with pytest.raises(ArgumentError, match="'1' is a convolution; a neck goes in front of a linear layer"):
        replace_head(squeeze, 3, neck=[2])
    with pytest.raises(ArgumentError, match="num_classes 0 must be"):
        replace_head(model, 0)
    with pytest.raises(ArgumentError, match="has no linear or convolutional layer"):
        last_layer(nn.Sequential(nn.ReLU()))


def test_several_heads_learn_together():
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 12, activation="relu"), nn.Linear(12, 3))
    assert with_heads(model, {"row": 3, "bright": 2}) == "2" and isinstance(model[2], Heads)
    targets = {"row": LABELS, "bright": (LABELS == 0).astype(np.int64)}
    optimizer = optim.Adam(model.parameters(), lr=0.02)
    losses = []
    for _ in range(40):
        optimizer.zero_grad()
        loss = heads_loss(model(Tensor(IMAGES)), targets, {"bright": 0.5})
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.3 * losses[0]
    with pytest.raises(ArgumentError, match=r"targets \['colour'\] do not fit the heads \['bright', 'row'\]"):
        heads_loss(model(Tensor(IMAGES)), {"colour": LABELS})
    with pytest.raises(ArgumentError, match="give at least one head"):
        Heads(3, {})
    with pytest.raises(ArgumentError, match="several heads stand behind a linear"):
        with_heads(nn.Sequential(nn.Conv2d(1, 1, 1)), {"a": 2})


def test_the_six_stage_recipe_says_what_the_lecture_said():
    stages = read_schedule(SIX_STAGES).stages
    assert len(stages) == 6
    assert stages[0].changes["epochs"] == 0 and stages[0].train == ()
    assert [set(stage.train) - {"neck", "head"} for stage in stages[1:5]] == [
        set(),
        {"stage4"},
        {"stage4", "stage3"},
        {"stage4", "stage3", "stage2", "stage1"},
    ]
    assert stages[5].train == stages[1].train and stages[5].changes["batch_size"] == 256
    assert all(len(read_schedule(text).stages) == 1 for text in MODES.values())


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("[[stage", "plan: not a TOML file"),
        ("title = 'x'", r"needs a title and one \[\[stage\]\]"),
        ("x = 1\n[[stage]]\ntrain = ['head']", "has no use for 'x'"),
        ("[[stage]]\ntrain = 'head'", r'stage 1: `train` must be a list of parts, such as \["head"\]'),
        ("[[stage]]\ntrain = ['head']\nrates = { stag4 = 1 }", "there is no part 'stag4'"),
        ("[[stage]]\ntrain = ['head']\nrates = { head = -1 }", "factors of 0 or more"),
        ("[[stage]]\ntrain = ['head']\nepoch = 1", "stage 1: .*did you mean 'epochs'"),
        ("[[stage]]\ntrain = ['head']\nepochs = 'x'", "stage 1: "),
        ("[[stage]]\ntrain = []", "trains nothing"),
    ],
)
def test_a_schedule_that_cannot_be_meant_is_refused(text, match):
    with pytest.raises(UsageError, match=match):
        read_schedule(text, "plan")


def test_rates_by_part():
    model = Residual()
    groups = part_groups(model, CONFIG.replace(weight_decay=0.1, decay_all=False), {"stem": 0.1, "head": 0.0})
    rates = {tuple(group["params"][0].shape): (group["lr"], group.get("weight_decay")) for group in groups}
    assert rates[(4, 1, 3, 3)] == (pytest.approx(0.01), None) and rates[(3, 64)][0] == 0.0
    assert sum(len(group["params"]) for group in groups) == len(list(model.parameters()))
    assert [group.get("weight_decay") for group in groups[:2]] == [None, 0.0]


THREE = """
title = "three"
[[stage]]
name = "given"
train = []
epochs = 0
[[stage]]
name = "Head!"
train = ["head"]
epochs = 1
[[stage]]
name = "late layers"
train = ["head", "layer4", "layer3"]
rates = { stage4 = 0.5, stage3 = 0.0 }
learning_rate = 0.05
epochs = 1
"""


def run_three(folder=None, resume=False, **options):
    import tinycnn

    tinycnn.manual_seed(4)
    model = Residual()
    results = run_stages(
        model, read_schedule(THREE), make_stripes(96, 1), make_stripes(30, 2), CONFIG, output=folder, resume=resume, show=False, **options
    )
    return model, results


def test_each_stage_moves_its_own_parts_only():
    import tinycnn

    tinycnn.manual_seed(4)
    start = bits(Residual())
    model, results = run_three()
    moved = {name.split(".")[0] for name, value in bits(model).items() if (value != start[name]).any()}
    assert moved == {"fc", "aux1", "layer4"}  # layer3's rate is 0, and the batch statistics of bn1 stay
    assert [one.name for one in results] == ["given", "Head!", "late layers"]
    assert results[0].result is None and results[0].trained == 0
    assert results[1].trained == 2 * (64 * 3 + 3) and results[1].frozen > 0
    assert results[2].trained == results[1].trained + 2 * (4 * 4 * 9 + 4)
    assert results[2].result.learning_rates[0] < 0.05


@pytest.mark.parametrize("stop", [3, 8])
def test_stages_resume_to_the_same_bits(tmp_path, stop, monkeypatch):
    whole, _ = run_three(tmp_path / "whole")
    assert sorted(path.name for path in (tmp_path / "whole").iterdir()) == ["2-head", "3-late-layers"]

    class PulledPlug(Exception):
        pass

    counted = []

    def save(path, checkpoint):
        save_checkpoint(path, checkpoint)
        counted.append(path)
        if len(counted) == stop:
            raise PulledPlug
        return path

    from tinycnn.train import stages

    every_step = CONFIG.replace(checkpoint_every=1)
    original = stages.train
    monkeypatch.setattr(stages, "train", lambda *arguments, **options: original(*arguments, **options, save=save))
    with pytest.raises(PulledPlug):
        import tinycnn

        tinycnn.manual_seed(4)
        run_stages(Residual(), read_schedule(THREE), make_stripes(96, 1), make_stripes(30, 2), every_step, output=tmp_path / "parts", show=False)
    monkeypatch.setattr(stages, "train", original)
    parts, _ = run_three(tmp_path / "parts", resume=True)
    for name, value in bits(whole).items():
        np.testing.assert_array_equal(value, bits(parts)[name])
    assert load_checkpoint(tmp_path / "parts" / "2-head").run_info["stage"] == "Head!"


def test_a_stage_that_would_train_nothing_is_refused_before_anything_runs():
    text = "[[stage]]\nname = 'neck'\ntrain = ['neck']"
    with pytest.raises(UsageError, match="stage 'neck': Residual has none of neck; its parts are stem, stage1"):
        run_stages(Residual(), read_schedule(text), make_stripes(9, 1), make_stripes(9, 2), CONFIG, show=False)


def test_features_are_what_the_last_layer_gets_or_another_gives():
    model = Residual()
    loader = [(IMAGES[:5], LABELS[:5]), (IMAGES[5:8], LABELS[5:8])]
    codes, labels = features(model, loader)
    assert codes.shape == (8, 64) and codes.dtype == np.float32 and labels.tolist() == LABELS[:8].tolist()
    assert model.training
    model.eval()
    np.testing.assert_allclose(codes @ model.fc.weight.data.T + model.fc.bias.data, model(Tensor(IMAGES[:8])).data, rtol=1e-4, atol=1e-5)
    maps, _ = features(model, loader, "layer2")
    pooled, _ = features(model, loader, "layer2", pool=True)
    np.testing.assert_allclose(pooled, maps.reshape(8, 4, 16).mean(2), rtol=1e-5)
    assert features(model, loader, "layer4")[0].shape == (8, 64) and not model.layer4._forward_hooks
    with pytest.raises(ArgumentError, match="no child 'layer9'"):
        features(model, loader, "layer9")
    with pytest.raises(ArgumentError, match="'aux1' did not give a tensor"):
        features(model, loader, "aux1")
    with pytest.raises(UsageError, match="yields no images"):
        features(model, [])


def four_bars(count, seed):
    """Four classes: the bright row."""
    generator = np.random.default_rng(seed)
    images = 0.3 * generator.random((count, 1, 4, 4)).astype(np.float32)
    images[np.arange(count), 0, np.arange(count) % 4] += 0.6
    return ArrayDataset(images, np.arange(count) % 4)


def test_parts_of_one_task_serve_another():
    first, second = ([split_classes(part, half) for part in (four_bars(96, 1), four_bars(48, 2))] for half in (0, 1))
    assert set(second[0].labels()) == {0, 1} == {second[0][index][1] for index in range(4)} and second[0].classes == ("2", "3")
    assert set(second[0].batch(np.arange(6))[1]) == {0, 1}

    def build():
        return nn.Sequential(nn.Conv2d(1, 4, 3, padding=1, activation="relu"), nn.Flatten(), nn.Linear(64, 8, activation="relu"), nn.Linear(8, 4))

    runs = layer_transfer(build, first, second, (2, 2), CONFIG.replace(epochs=8))
    assert [(run.parts, run.until) for run in runs] == [(0, "-"), (1, "stem"), (2, "stage1")]
    assert runs[0].frozen == runs[0].tuned >= 0.9 and runs[1].frozen >= 0.8 and runs[1].tuned >= 0.9
    with pytest.raises(UsageError, match="3 classes are too few for two tasks"):
        split_classes(ArrayDataset(np.zeros((6, 4, 4), np.uint8), np.arange(6) % 3), 0)
    assert isinstance(make_stripes(3, 1), TensorDataset)
