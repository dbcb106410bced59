"""Part F: detection. Its networks arrive with issue 6; the arithmetic under them runs now."""

from __future__ import annotations

from .entries import Check, Row

__all__ = ["DETECTION"]

# VGG's front with the ceiling pool of SSD, its fifth pooling with stride 1, then the extra layers.
SSD = (
    "maxpool 2 | maxpool 2 | maxpool 2 ceil | maxpool 2 | maxpool 3 s1 p1 | conv 3x3x512 s2 p1 | conv 3x3x256 s2 p1 | conv 3x3x256 | conv 3x3x256"
)
SSD_BOXES = f"""\
sizes = [step.output[-1] for step in study.shape_flow("{SSD}", (3, 300, 300)).steps]
maps = [sizes[2], sizes[4], *sizes[5:]]
"""
BOXES = "0 0 10 10; 1 1 11 11; 20 20 30 30; 0 0 9 10"
CODER = """\
P, G = np.array([50.0, 40.0, 20.0, 10.0]), np.array([55.0, 44.0, 40.0, 5.0])
d = np.array([(G[0] - P[0]) / P[2], (G[1] - P[1]) / P[3], np.log(G[2] / P[2]), np.log(G[3] / P[3])])
"""

DETECTION = (
    Row(
        "F01", "S0",
        "Classification and localisation of a single object: two heads on one network.",
        ("tinycnn summary resnet18",),
        (Check("a head of 4 numbers on ResNet-18's 512", "tinycnn shape linear --in 512 --filters 4", 2052, "parameters"),),
        "the two-headed network, the shapes it learns from and the drawn boxes arrive with issue 6",
    ),
    Row(
        "F02", "S4",
        "The plain detector classifies every window; there are very many, of every size, and nearly all are background.",
        ("tinycnn shape conv2d --in 480x640 --k 64 --s 8",),
        (Check("windows of 64 with step 8 on 640 x 480", "tinycnn shape conv2d --in 480x640 --k 64 --s 8", [53, 73], "output"),),
        "the detector and its heat-map arrive with issue 6",
    ),
    Row(
        "F03", "S1 S2 S4",
        "Proposals: some 2,000 regions of an image that may hold an object, grown from like pixels.",
        later="selective search and its segmentation arrive with issue 6",
    ),
    Row(
        "F04", "S0 S1 S2 S4",
        "R-CNN runs the network once a region, and so takes about 47 seconds an image.",
        ("tinycnn summary vgg16",),
        (),
        "a toy R-CNN and the cost table per image and per region arrive with issue 6",
    ),
    Row(
        "F05", "S0 S4",
        "Box regression: shift the proposal by shares of its size, scale it by an exponential.",
        ("tinycnn explain box_convert",),
        (
            Check("encoding: shifts 5/20 and 4/10, log 2 and log 1/2", CODER + "d", [0.25, 0.4, 0.69314718, -0.69314718], within=1e-8),
            Check("decoding with the slide's formulas gives G back",
                  CODER + "[P[2] * d[0] + P[0], P[3] * d[1] + P[1], P[2] * np.exp(d[2]), P[3] * np.exp(d[3])]", [55, 44, 40, 5], within=1e-12),
        ),
        "the box coder with weights and clamps arrives with issue 6",
    ),
    Row(
        "F06", "S0 S1 S2 S4",
        "Fast R-CNN runs the network once an image and pools each region from its maps.",
        ("tinycnn explain roi_pool",),
        (
            Check("20 regions of one map of 18 x 25 in 7 x 7 bins: what the head gets",
                  "boxes = np.tile([[0.0, 0.0, 0.0, 200.0, 150.0]], (20, 1))\nops.roi_pool(np.zeros((1, 8, 18, 25)), boxes, 7, 1 / 16).shape",
                      [20, 8, 7, 7]),
        ),
        "the detector and its timing arrive with issue 6",
    ),
    Row(
        "F07", "S0 S1 S2 S4",
        "Faster R-CNN lets a small network on the same maps make the proposals.",
        (),
        (Check("the RPN's heads: 3 x 3, then 2 and 4 numbers for each of 9 anchors, on 512 maps",
               "net = nn.Sequential(nn.Conv2d(512, 512, 3), nn.Conv2d(512, 18, 1), nn.Conv2d(512, 36, 1))\n"
               "sum(p.numel() for p in net.parameters())", 2_387_510),),
        "the RPN and the trained detector arrive with issue 6",
    ),
    Row(
        "F08", "S4",
        "Three ways to see every scale: a pyramid of images, of filters, or of reference boxes.",
        (),
        (),
        "the comparison of the three schemes arrives with issue 6",
    ),
    Row(
        "F09", "S4",
        "Anchors are fixed boxes of some sizes and shapes at every place; the network learns corrections to them.",
        ('tinycnn conventions "anchors"',),
        (
            Check("size 128 and h/w 0.5, not rounded", 'tinycnn conventions "anchors rounding"', [-90.5097, -45.2548, 90.5097, 45.2548],
                  "rows.0.rules.2.result", 5e-5),
            Check("the slide's 3 sizes and 3 ratios w/h keep each size's area",
                  "sizes, ratios = np.array([64.0, 128, 256]), np.array([0.5, 1, 1.5])\n"
                  "w, h = sizes[:, None] * ratios**0.5, sizes[:, None] / ratios**0.5\n[w.size, float(np.abs(w * h - sizes[:, None] ** 2).max())]",
                  [9, 0], within=1e-9),
        ),
        "`tinycnn anchors`, the generator with explicit conventions, arrives with issue 6",
    ),
    Row(
        "F10", "S0 S2 S4",
        "SSD predicts class scores and box corrections for default boxes on maps of several sizes.",
        (f'tinycnn shape "{SSD}" --in 3x300x300',),
        (
            Check("the six maps of SSD300", SSD_BOXES + "maps", [38, 19, 10, 5, 3, 1]),
            Check("its default boxes", SSD_BOXES + "sum(size * size * boxes for size, boxes in zip(maps, (4, 6, 6, 6, 4, 4)))", 8732),
        ),
        "the default boxes, their matching and the network arrive with issue 6",
    ),
    Row(
        "F11", "S2",
        "A one-stage detector gives 4 B box numbers, B objectness scores and the classes at each place, in one tensor.",
        ("tinycnn shape conv2d --in 512x7x7 --k 1 --filters 30",),
        (Check("B = 2, 20 classes", "tinycnn shape conv2d --in 512x7x7 --k 1 --filters 30", [30, 7, 7], "output"),),
        "the decoder that names each number arrives with issue 6",
    ),
    Row(
        "F12", "S0 S2 S4",
        "YOLO divides the image into cells; each predicts a few boxes and one set of classes.",
        ("tinycnn summary darknet19", "tinycnn summary darknet53"),
        (
            Check("outputs of v1: 7 x 7 cells of 2 boxes and 20 classes", "S, B, C = 7, 2, 20\nnn.Linear(4096, S * S * (B * 5 + C)).out_features",
                1470),
            Check("its boxes", "S, B = 7, 2\nnp.zeros((S, S, B * 5 + 20))[:, :, : B * 5].size // 5", 98),
        ),
        "YOLO v1 to v3 arrive with issue 6",
    ),
    Row(
        "F13", "S2",
        "RetinaNet: one stage on a feature pyramid, with focal loss against the flood of background.",
        ("tinycnn explain sigmoid_focal_loss",),
        (),
        "RetinaNet arrives with issue 6",
    ),
    Row(
        "F14", "S0 S1",
        "Mask R-CNN is Faster R-CNN with a small fully convolutional network on each region, aligned; the paper reports mask AP 35.7.",
        ("tinycnn explain roi_align", "tinycnn summary resnet101"),
        (),
        "Mask R-CNN arrives with issue 6 (35.7 is the paper's, on COCO)",
    ),
    Row(
        "F15", "S0 S1 S3",
        "The same with one map for each keypoint of a person.",
        later="the keypoint head and OKS arrive with issue 6",
    ),
    Row(
        "F16", "S1 S2",
        "Any classification network can be the backbone: its stages' maps are what the detector reads.",
        ("tinycnn shape resnet50", "tinycnn transfer resnet50 --show-parts"),
        (
            Check("ResNet-50's stages leave 1/4, 1/8, 1/16 and 1/32 of 224",
                  "[study.shape('conv2d', size, 3, 2, 1).output[0] for size in (112, 56, 28, 14)]", [56, 28, 14, 7]),
        ),
    ),
    Row(
        "F17", "S1",
        "Detectors became better through their design and through their backbones.",
        ("tinycnn leaderboard --published",),
        (),
        "a chart of detectors arrives with issue 6",
    ),
    Row(
        "F18", "S4",
        "Non-maximum suppression: take the best box, drop what overlaps it by more than half, repeat.",
        (f'tinycnn explain nms "{BOXES}" "0.9 0.8 0.7 0.6" iou_threshold=0.5 --html nms.html', "tinycnn explain batched_nms",
            "tinycnn exercise nms --seed 1", "tinycnn myths nms-removed-remove"),
        (
            Check("what is kept of four boxes", f'tinycnn explain nms "{BOXES}" "0.9 0.8 0.7 0.6" iou_threshold=0.5', [0, 2], "results.0.values"),
            Check("exactly one half is not more than one half",
                  "ops.nms(np.array([[0.0, 0, 2, 2], [0, 0, 2, 1]]), np.array([0.9, 0.8]), 0.5).numpy()", [0, 1]),
        ),
        "soft-NMS and the drawn before and after arrive with issue 6",
    ),
    Row(
        "F19", "S1 S4",
        "Intersection over union compares two boxes: 1 is the same, 0 is apart.",
        ('tinycnn explain box_iou boxes1="0 0 4 4; 0 0 2 2" boxes2="2 2 6 6; 0 0 2 2"', "tinycnn explain generalized_box_iou",
            "tinycnn exercise iou --seed 1", "tinycnn myths touching-boxes"),
        (
            Check("4 of 28 cells", "ops.box_iou(np.array([[0.0, 0, 4, 4]]), np.array([[2.0, 2, 6, 6]])).item()", 1 / 7, within=1e-12),
            Check("GIoU of the same boxes: 1/7 - 8/36", "ops.generalized_box_iou(np.array([[0.0, 0, 4, 4]]), np.array([[2.0, 2, 6, 6]])).item()",
                  1 / 7 - 8 / 36, within=1e-12),
        ),
    ),
    Row(
        "F20", "S1",
        "A detection is right if it overlaps an object of its class by more than half; elsewhere, of another class or twice, it is wrong.",
        ("tinycnn ap detections.json instances.json --all", "tinycnn exercise ap --seed 1"),
        (
            Check("overlaps of three detections with one object: right, mislocalised, apart",
                  "ious = ops.box_iou(np.array([[0.0, 0, 9, 10], [5, 0, 15, 10], [20, 20, 30, 30]]), np.array([[0.0, 0, 10, 10]])).numpy().ravel()\n"
                  "ious > 0.5", [True, False, False]),
        ),
        "`tinycnn detect`, whose detections are judged so, arrives with issue 6",
    ),
    Row(
        "F21", "S1",
        "For instances the same, with the overlap of masks.",
        (),
        (
            Check("two 4 x 4 masks that share 4 of 28 cells",
                  "a, b = np.zeros((6, 6), bool), np.zeros((6, 6), bool)\na[:4, :4] = b[2:, 2:] = True\nint((a & b).sum()) / int((a | b).sum())",
                      1 / 7,
                  within=1e-12),
        ),
        "mask IoU and run-length masks arrive with issue 6",
    ),
    Row(
        "F22", "S4",
        "Names to look up: SNIPER, FoveaBox, Pooling Pyramid Network, scene-text detection.",
        later="an anchor-free head may arrive with issue 6; the others are only named",
    ),
    Row(
        "F23", "S0",
        "Homework: run a detector over a video.",
        later="`tinycnn detect` on images, folders and videos arrives with issue 6",
    ),
    Row(
        "F24", "S0",
        "A public reference implementation of SSD, with weights.",
        ("tinycnn ckpt inspect ssd300.pth",),
        (),
        "SSD300, into which its weights go, arrives with issue 6",
    ),
    Row("F25", "S3", "What else is done with convolutional networks: playing games, captions. Mentioned, not built."),
)  # fmt: skip
