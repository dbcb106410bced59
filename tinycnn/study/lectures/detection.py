"""Part F: detection, its networks and the arithmetic under them."""

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
# Centre, width and height of the slide's P and G, as corners.
CODER = """\
P, G = (ops.box_convert(np.array([box]), "cxcywh", "xyxy").numpy() for box in ([50.0, 40, 20, 10], [55.0, 44, 40, 5]))
d = models.detection.encode_boxes(G, P)
"""
# A window is an object where its mean is near 1.
BRIGHT = """\
class Bright(nn.Module):
    def forward(self, x):
        return F.stack([x.mean((1, 2, 3)) * 0, x.mean((1, 2, 3)) * 20 - 15], -1)
image = np.zeros((1, 12, 12), np.float32)
image[:, 4:8, 4:8] = 1
models.detection.SlidingWindowDetector(Bright(), (4, 4), stride=2, factor=2.0)(image)["boxes"]"""
DECODE = 'tinycnn detection decode --numbers "0.25 0.4 0.69314718056 -0.69314718056" --anchor "40 35 60 45"'
YOLO = 'tinycnn detection decode --kind yolo --numbers "0.2 -0.3 0.1 0.4 2 1" --anchor "40 60" --cell 2,3 --stride 32'
IOU = 'tinycnn iou "0 0 4 4" "2 2 6 6"'
NMS = f'tinycnn detection nms --boxes "{BOXES}" --scores "0.9 0.8 0.7 0.6" --iou 0.5'
SLIDE_ANCHORS = 'tinycnn anchors --sizes "64 128 256" --ratios "0.5 1 1.5" --strides 16 --size 480x640'
# A cat and a dog; what was found of them, best first.
JUDGED = """\
from tinycnn.metrics import coco_detections, detection_verdicts
thing = lambda number, kind, box: {"id": number, "image_id": 1, "category_id": kind, "bbox": box, "area": 100, "iscrowd": 0}
truth = {"images": [{"id": 1, "height": 60, "width": 60}], "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
         "annotations": [thing(1, 1, [0, 0, 10, 10]), thing(2, 2, [30, 30, 10, 10])]}
boxes = [(1, [0, 0, 9, 10]), (1, [0, 0, 10, 9]), (1, [30, 30, 10, 10]), (2, [35, 30, 10, 10]), (2, [50, 0, 5, 5])]
found = [{"image_id": 1, "category_id": kind, "bbox": box, "score": 0.9 - 0.1 * k} for k, (kind, box) in enumerate(boxes)]
[verdict.verdict for verdict in detection_verdicts(coco_detections(truth, found))[0]]"""
OKS = """\
from tinycnn.metrics.detection_records import Detected, Truth
truth = Truth(1, 1, (0, 0, 10, 10), 100.0, keypoints=(5, 5, 2), num_keypoints=1)
found = Detected(1, 1, 0.9, (0, 0, 10, 10), 100.0, keypoints=(7, 5, 1))
metrics.keypoint_similarity([found], [truth], sigmas=[0.1])"""


def count(what: str, builder: str, number: int) -> Check:
    """The number of parameters of a network of any task; its weights are not drawn for that."""
    return Check(f"parameters of {what}", f'sum(p.numel() for p in nn.utils.skip_init(models.get_model, "{builder}").parameters())', number)



DETECTION = (
    Row(
        "F01", "S0",
        "Classification and localisation of a single object: two heads on one network.",
        ("tinycnn summary localisation_mini", "tinycnn explain box_iou"),
        (
            Check("a head of 4 numbers on ResNet-18's 512", "tinycnn shape linear --in 512 --filters 4", 2052, "parameters"),
            count("a network with both heads", "localisation_mini", 77_591),
        ),
    ),
    Row(
        "F02", "S4",
        "The plain detector classifies every window; there are very many, of every size, and nearly all are background.",
        ("tinycnn detection heat --network runs/ssd_mini-shapes --image photo.jpg --html heat.html",),
        (
            Check("windows of 64 with step 8 on 640 x 480", "tinycnn shape conv2d --in 480x640 --k 64 --s 8", [53, 73], "output"),
            Check("counted: of one size, and on a pyramid of images, each half as large as the one before",
                  "[models.detection.window_count((480, 640), (64, 64), 8), models.detection.pyramid_window_count((480, 640), (64, 64), 8, 2.0)]",
                  [53 * 73, 53 * 73 + 23 * 33 + 8 * 13]),
            Check("a bright square of 4 x 4 is found by sliding a mean over a pyramid", BRIGHT, [4, 4, 8, 8]),
        ),
    ),
    Row(
        "F03", "S1 S2 S4",
        "Proposals: some 2,000 regions of an image that may hold an object, grown from like pixels.",
        ('tinycnn glossary "selective search"', 'tinycnn glossary "region growing"', 'tinycnn glossary "deformable part model"'),
        (
            Check("two colours are two regions",
                  "image = np.zeros((6, 6, 1))\nimage[:, 3:] = 1\nmodels.detection.felzenszwalb(image, sigma=0, min_size=1)[0]", [0, 0, 0, 1, 1, 1]),
            Check("selective search proposes the bright rectangle",
                  "image = np.zeros((12, 12, 3))\nimage[3:9, 2:7] = 1\n"
                  "[2, 3, 7, 9] in models.detection.selective_search(image, scales=(50,), sigma=0, min_size=4).tolist()", True),
        ),
    ),
    Row(
        "F04", "S0 S1 S2 S4",
        "R-CNN runs the network once a region, and so takes about 47 seconds an image.",
        ("tinycnn region-costs vgg16 --measure", "tinycnn region-costs --html costs.html"),
        (
            Check("a network of one layer and a head, 100 regions: work once a region, and once an image",
                  "net, head = nn.Conv2d(3, 4, 3, padding=1), nn.Sequential(nn.Flatten(), nn.Linear(4 * 64, 2))\n"
                  "costs = study.region_costs(net, head, (32, 48), 100, crop=8)\n[costs.per_region, costs.per_image]",
                  [100 * (64 * 108 + 512), 32 * 48 * 108 + 100 * 512]),
            Check("VGG-16's convolutions of one region, in multiply-adds", "tinycnn region-costs", 15_346_630_656, "features_of_region", heavy=True),
            Check("its dense layers", "tinycnn region-costs", 123_633_664, "head", heavy=True),
            Check("R-CNN's work for 2,000 regions; the paper took 47 seconds for it", "tinycnn region-costs", 2000 * 15_470_264_320,
                  "total.R-CNN", heavy=True),
        ),
        "the 47 seconds are the paper's, on a graphics card of 2014; --measure times this machine",
    ),
    Row(
        "F05", "S0 S4",
        "Box regression: shift the proposal by shares of its size, scale it by an exponential.",
        ("tinycnn explain box_convert", f"{DECODE} --html decode.html"),
        (
            Check("encoding: shifts 5/20 and 4/10, log 2 and log 1/2", CODER + "d", [0.25, 0.4, 0.69314718, -0.69314718], within=1e-8),
            Check("decoding with the slide's formulas gives G back",
                  CODER + 'ops.box_convert(models.detection.decode_boxes(d, P), "xyxy", "cxcywh")', [55, 44, 40, 5], within=1e-12),
            Check("G's corners, with the arithmetic", DECODE, [35, 41.5, 75, 46.5], "boxes.0", 1e-6),
            Check("the coder's weights of SSD and Faster R-CNN multiply the numbers",
                  CODER + "models.detection.encode_boxes(G, P, (10.0, 10.0, 5.0, 5.0)) / d", [10, 10, 5, 5], within=1e-9),
        ),
    ),
    Row(
        "F06", "S0 S1 S2 S4",
        "Fast R-CNN runs the network once an image and pools each region from its maps.",
        ("tinycnn explain roi_pool", "tinycnn region-costs vgg16 --measure", 'tinycnn glossary "selective search"'),
        (
            count("Fast R-CNN on VGG-16", "fastrcnn_vgg16", 134_690_729),
            Check("overlaps of 0.9, 0.3 and 0.05: object, background, neither",
                  "models.detection.BandMatcher(0.5, 0.1)(np.array([[0.9, 0.3, 0.05]]))",
                  [0, -1, -2]),
            Check("20 regions of one map of 18 x 25 in 7 x 7 bins: what the head gets",
                  "boxes = np.tile([[0.0, 0.0, 0.0, 200.0, 150.0]], (20, 1))\nops.roi_pool(np.zeros((1, 8, 18, 25)), boxes, 7, 1 / 16).shape",
                      [20, 8, 7, 7]),
        ),
    ),
    Row(
        "F07", "S0 S1 S2 S4",
        "Faster R-CNN lets a small network on the same maps make the proposals.",
        ("tinycnn train fasterrcnn_mini --data shapes --minutes 15", "python examples/04_detection.py",
         "tinycnn detect photo.jpg --model fasterrcnn_resnet50_fpn --weights fasterrcnn_resnet50_fpn_coco-258fb6c6.pth"),
        (
            Check("the RPN's heads: 3 x 3, then 2 and 4 numbers for each of 9 anchors, on 512 maps",
                  "net = nn.Sequential(nn.Conv2d(512, 512, 3), nn.Conv2d(512, 18, 1), nn.Conv2d(512, 36, 1))\n"
                  "sum(p.numel() for p in net.parameters())", 2_387_510),
            Check("with one number of objectness an anchor, as torchvision and this package have it",
                  "sum(p.numel() for p in nn.utils.skip_init(models.detection.RPNHead, 512, 9).parameters())", 2_382_893),
            count("a Faster R-CNN for 128 pixels", "fasterrcnn_mini", 567_778),
        ),
    ),
    Row(
        "F08", "S4",
        "Three ways to see every scale: a pyramid of images, of filters, or of reference boxes.",
        (SLIDE_ANCHORS,),
        (
            Check("windows of 64, step 16: a pyramid of images at 1, 1/2, 1/4",
                  "models.detection.pyramid_window_count((480, 640), (64, 64), 16, 2.0)",
                  27 * 37 + 12 * 17 + 4 * 7),
            Check("whose work is 1 + 1/4 + 1/16 of one image",
                  "from tinycnn.models.detection.sliding_window import pyramid_sizes\n"
                  "sum(h * w for h, w in pyramid_sizes((480, 640), (64, 64), 2.0)) / (480 * 640)", 1.3125),
            Check("of filters: windows of 64, 128 and 256 on one image",
                  "sum(models.detection.window_count((480, 640), (side, side), 16) for side in (64, 128, 256))", 27 * 37 + 23 * 33 + 15 * 25),
            Check("of reference boxes: nine at each of 30 x 40 places, for one run of one network", SLIDE_ANCHORS, 10_800, "boxes"),
        ),
    ),
    Row(
        "F09", "S4",
        "Anchors are fixed boxes of some sizes and shapes at every place; the network learns corrections to them.",
        ('tinycnn conventions "anchors"', f"{SLIDE_ANCHORS} --html anchors.html",
         'tinycnn anchors --network fasterrcnn_resnet50_fpn --truths "30 40 120 200; 5 5 20 15" --html anchors.html'),
        (
            Check("size 128 and h/w 0.5, not rounded", 'tinycnn conventions "anchors rounding"', [-90.5097, -45.2548, 90.5097, 45.2548],
                  "rows.0.rules.2.result", 5e-5),
            Check("the slide's 3 sizes and 3 ratios w/h keep each size's area",
                  'boxes = models.detection.cell_anchors_by_convention((64, 128, 256), (0.5, 1, 1.5), 16, "detectron2")\n'
                  "ops.box_area(boxes)", [4096] * 3 + [16384] * 3 + [65536] * 3, within=1e-8),
            Check("size 128 and h/w 0.5 in the code of the Faster R-CNN paper, in torchvision and in SSD",
                  "rows = {row.convention: row.box for row in models.detection.compare_anchor_conventions(128, 0.5)}\n"
                  "[rows[name] for name in ('py-faster-rcnn', 'torchvision', 'ssd')]",
                  [[-84, -40, 99, 55], [-91, -45, 91, 45], [-37.2548, -82.5097, 53.2548, 98.5097]], within=5e-5),
        ),
    ),
    Row(
        "F10", "S0 S2 S4",
        "SSD predicts class scores and box corrections for default boxes on maps of several sizes.",
        (f'tinycnn shape "{SSD}" --in 3x300x300', "tinycnn anchors --network ssd300_vgg16 --html boxes.html",
         'tinycnn detection matching --network ssd_mini --truths "20 20 90 90; 100 5 114 19" --html matching.html',
         "tinycnn train ssd_mini --data shapes --minutes 15"),
        (
            Check("the six maps of SSD300", SSD_BOXES + "maps", [38, 19, 10, 5, 3, 1]),
            Check("its default boxes", SSD_BOXES + "kinds = models.detection.DefaultBoxGenerator([[2], [2, 3], [2, 3], [2, 3], [2], [2]])\n"
                  "sum(size * size * boxes for size, boxes in zip(maps, kinds.num_anchors_per_location()))", 8732),
            Check("laid by the network itself", "tinycnn anchors --network ssd300_vgg16", 8732, "boxes", heavy=True),
            Check("map by map", "tinycnn anchors --network ssd300_vgg16", [5776, 2166, 600, 150, 36, 4], "counts", heavy=True),
            Check("three boxes and two objects: the first by overlap, the third because no other is nearer to the second object",
                  "models.detection.SSDMatcher(0.5)(np.array([[0.9, 0.4, 0.1], [0.0, 0.2, 0.25]]))", [0, -1, 1]),
        ),
    ),
    Row(
        "F11", "S2",
        "A one-stage detector gives 4 B box numbers, B objectness scores and the classes at each place, in one tensor.",
        (f"{YOLO} --html decode.html",),
        (
            Check("B = 2, 20 classes", "tinycnn shape conv2d --in 512x7x7 --k 1 --filters 30", [30, 7, 7], "output"),
            Check("five numbers and a class of cell (2, 3) as a box of pixels", YOLO, [91.4913, 32.8631, 135.6981, 122.3726], "boxes.13", 5e-4),
        ),
    ),
    Row(
        "F12", "S0 S2 S4",
        "YOLO divides the image into cells; each predicts a few boxes and one set of classes.",
        ("tinycnn train yolo_v1_mini --data shapes --minutes 30", "tinycnn summary darknet19", "tinycnn summary darknet53",
         "tinycnn detect photo.jpg --model yolov3.cfg --weights yolov3.weights --classes coco.names"),
        (
            Check("outputs of v1: 7 x 7 cells of 2 boxes and 20 classes",
                  'nn.utils.skip_init(models.get_model, "yolo_v1_tiny", width_mult=1 / 16).head[-1].out_features', 1470),
            Check("its boxes", "models.detection.decode_yolo_v1(np.zeros((1, 7, 7, 30)), 2, (448, 448)).reshape(-1, 4).shape", [98, 4]),
            count("YOLO v2", "yolo_v2", 50_655_389),
            count("YOLO v3", "yolo_v3", 61_949_149),
            Check("two anchors for four boxes, by k-means on 1 - IoU",
                  "sides = [[1, 1], [1.2, 1], [8, 4], [8, 5]]\n"
                  "models.detection.anchor_clusters(sides, 2, generator=np.random.default_rng(0)).anchors", [[1.1, 1], [8, 4.5]], within=1e-9),
        ),
    ),
    Row(
        "F13", "S2",
        "RetinaNet: one stage on a feature pyramid, with focal loss against the flood of background.",
        ("tinycnn explain sigmoid_focal_loss", "tinycnn train retinanet_mini --data shapes --minutes 15",
         "tinycnn detect photo.jpg --model retinanet_resnet50_fpn --weights retinanet_resnet50_fpn_coco-eeacb38b.pth"),
        (
            Check("an undecided head of 3 classes and 9 anchors starts at a probability of 0.01",
                  "head = models.detection.RetinaNetHead(16, 9, 3)\nF.sigmoid(head.classification_head.cls_logits.bias)", [0.01] * 27,
                  within=1e-7),
        ),
    ),
    Row(
        "F14", "S0 S1",
        "Mask R-CNN is Faster R-CNN with a small fully convolutional network on each region, aligned; the paper reports mask AP 35.7.",
        ("tinycnn train maskrcnn_mini --data shapes --minutes 30", "python examples/05_instance_segmentation.py", "tinycnn explain roi_align",
         "tinycnn summary resnet101", "tinycnn detect photo.jpg --model maskrcnn_resnet50_fpn --weights maskrcnn_resnet50_fpn_coco-bf2d0c1e.pth"),
        (
            Check("a region of 14 x 14 becomes a map of 28 x 28 for each of 3 classes",
                  "models.detection.MaskRCNNPredictor(4, 4, 3)(tinycnn.zeros(1, 4, 14, 14)).shape", [1, 3, 28, 28]),
            Check("what the head should draw, at 2 x 2, of an object whose left edge runs through the box",
                  "mask = np.zeros((1, 8, 8))\nmask[0, :, 4:] = 1\n"
                  "models.detection.project_masks_on_boxes(mask, np.array([[2.0, 0, 6, 4]]), np.array([0]), 2)", [[0.25, 1], [0.25, 1]],
                  within=1e-9),
        ),
        "35.7 and 5 images a second are the paper's, of ResNet-101 on COCO and a graphics card: days of training",
    ),
    Row(
        "F15", "S0 S1 S3",
        "The same with one map for each keypoint of a person.",
        ("tinycnn train keypointrcnn_mini --data shapes --minutes 30", "python examples/06_pose.py",
         "tinycnn ap detections.json truth.json --kind keypoints", 'tinycnn glossary "pose estimation"'),
        (
            Check("a point that is off by 2 on an object of 100 square pixels, spread 0.1: exp(-1/2)", OKS, 0.60653066, within=1e-8),
            Check("the brightest cell (1, 2) of a 4 x 4 map over a box at (10, 20), as a point and its score",
                  "maps = np.zeros((1, 1, 4, 4))\nmaps[0, 0, 1, 2] = 1\n"
                  "models.detection.heatmaps_to_keypoints(maps, np.array([[10.0, 20.0, 14.0, 24.0]]))[0]", [12.5, 21.5, 1]),
        ),
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
        "a chart of detectors as published is not drawn; `tinycnn eval` measures one's own",
    ),
    Row(
        "F18", "S4",
        "Non-maximum suppression: take the best box, drop what overlaps it by more than half, repeat.",
        (f'tinycnn explain nms "{BOXES}" "0.9 0.8 0.7 0.6" iou_threshold=0.5 --html nms.html', "tinycnn explain batched_nms",
            "tinycnn exercise nms --seed 1", "tinycnn myths nms-removed-remove", f"{NMS} --gif nms.gif"),
        (
            Check("what is kept of four boxes", f'tinycnn explain nms "{BOXES}" "0.9 0.8 0.7 0.6" iou_threshold=0.5', [0, 2], "results.0.values"),
            Check("exactly one half is not more than one half",
                  "ops.nms(np.array([[0.0, 0, 2, 2], [0, 0, 2, 1]]), np.array([0.9, 0.8]), 0.5).numpy()", [0, 1]),
            Check("step by step: whom the best box suppresses", NMS, [1, 3], "steps.0.suppressed"),
            Check("soft suppression halves the score of a box that overlaps by a half",
                  "boxes, scores = np.array([[0.0, 0, 4, 4], [0, 0, 4, 2], [9, 9, 10, 10]]), np.array([0.9, 0.8, 0.3])\n"
                  "models.detection.soft_nms(boxes, scores).scores", [0.9, 0.4, 0.3], within=1e-9),
        ),
    ),
    Row(
        "F19", "S1 S4",
        "Intersection over union compares two boxes: 1 is the same, 0 is apart.",
        ('tinycnn explain box_iou boxes1="0 0 4 4; 0 0 2 2" boxes2="2 2 6 6; 0 0 2 2"', "tinycnn explain generalized_box_iou",
            "tinycnn exercise iou --seed 1", "tinycnn myths touching-boxes", f"{IOU} --html iou.html"),
        (
            Check("the figure's IoU", IOU, 1 / 7, "steps.IoU.value", 1e-12),
            Check("its DIoU: 1/7 - 8/72", IOU, 1 / 7 - 1 / 9, "steps.DIoU.value", 1e-6),
            Check("4 of 28 cells", "ops.box_iou(np.array([[0.0, 0, 4, 4]]), np.array([[2.0, 2, 6, 6]])).item()", 1 / 7, within=1e-12),
            Check("GIoU of the same boxes: 1/7 - 8/36", "ops.generalized_box_iou(np.array([[0.0, 0, 4, 4]]), np.array([[2.0, 2, 6, 6]])).item()",
                  1 / 7 - 8 / 36, within=1e-12),
        ),
    ),
    Row(
        "F20", "S1",
        "A detection is right if it overlaps an object of its class by more than half; elsewhere, of another class or twice, it is wrong.",
        ("tinycnn ap detections.json instances.json --all", "tinycnn eval runs/fasterrcnn_mini-shapes", "tinycnn exercise ap --seed 1"),
        (
            Check("five detections of a cat and a dog", JUDGED, ["true", "duplicate", "misclassified", "mislocalised", "background"]),
            Check("overlaps of three detections with one object: right, mislocalised, apart",
                  "ious = ops.box_iou(np.array([[0.0, 0, 9, 10], [5, 0, 15, 10], [20, 20, 30, 30]]), np.array([[0.0, 0, 10, 10]])).numpy().ravel()\n"
                  "ious > 0.5", [True, False, False]),
        ),
    ),
    Row(
        "F21", "S1",
        "For instances the same, with the overlap of masks.",
        ("tinycnn ap masks.json instances.json --kind segm --all", "tinycnn train maskrcnn_mini --data shapes --minutes 30"),
        (
            Check("two 4 x 4 masks that share 4 of 28 cells",
                  "a, b = np.zeros((1, 6, 6)), np.zeros((1, 6, 6))\na[:, :4, :4] = b[:, 2:, 2:] = 1\nmodels.detection.mask_iou(a, b)", 1 / 7,
                  within=1e-12),
            Check("the same of their run lengths, as COCO stores them",
                  "a, b = np.zeros((6, 6), int), np.zeros((6, 6), int)\na[:4, :4] = b[2:, 2:] = 1\n"
                  "metrics.rle_iou([metrics.rle_encode(a)], [metrics.rle_encode(b)])", 1 / 7, within=1e-12),
        ),
    ),
    Row(
        "F22", "S4",
        "Names to look up: SNIPER, FoveaBox, Pooling Pyramid Network, scene-text detection.",
        ("tinycnn train foveabox_mini --data shapes --minutes 15", 'tinycnn train fasterrcnn_mini --data shapes --sniper "2:0-40 1:32-"',
         "tinycnn glossary sniper", "tinycnn glossary foveabox", 'tinycnn glossary "pooling pyramid network"',
         'tinycnn glossary "scene text detection"'),
        (
            Check("SNIPER: which of boxes of 20, 100 and 300 pixels each of its three scales learns from",
                  "boxes = np.array([[0.0, 0, 20, 20], [0, 0, 100, 100], [0, 0, 300, 300]])\n"
                  "[models.detection.valid_at_scale(boxes, scale) for scale in models.detection.SNIPER_SCALES]",
                  [[True, False, False], [False, True, False], [False, False, True]]),
            Check("FoveaBox: a cell in the middle of an object learns it, one at its edge or of a coarser map does not",
                  "models.detection.fovea_targets(np.array([[16.0, 16, 32], [28, 16, 32], [16, 16, 128]]), np.array([[0.0, 0, 32, 32]]))",
                  [0, -1, -1]),
        ),
        "scene-text detection is only named",
    ),
    Row(
        "F23", "S0",
        "Homework: run a detector over a video.",
        ("tinycnn detect street.mp4 --model ssd300_vgg16 --weights ssd300_vgg16_coco-b556d3b4.pth --out street.gif --every 3",
         "tinycnn experiment clips", 'tinycnn glossary "video detection"', 'tinycnn glossary "action recognition"'),
    ),
    Row(
        "F24", "S0",
        "A public reference implementation of SSD, with weights.",
        ("tinycnn ckpt inspect ssd300.pth", "tinycnn detect photo.jpg --model nvidia_ssd300_resnet50 --weights ssd300.pth",
         'tinycnn glossary "SSD300 by NVIDIA"'),
        (
            Check("its boxes at a place of each map",
                  'nn.utils.skip_init(models.detection.NvidiaSSD, "resnet18").anchor_generator.num_anchors_per_location()',
                  [4, 6, 6, 6, 4, 4]),
        ),
    ),
    Row(
        "F25", "S3",
        "What else is done with convolutional networks: playing games, captions. Mentioned, not built.",
        ("tinycnn glossary dqn", 'tinycnn glossary "image captioning"'),
    ),
)  # fmt: skip
