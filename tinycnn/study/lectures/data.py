"""Part I: data, augmentation, annotation and metrics."""

from __future__ import annotations

from .entries import Check, Row

__all__ = ["DATA"]

BINARY = "report = metrics.class_report([[35, 10], [25, 80]])  # rows truth, columns prediction, the class YES last\n"
TURNED = "report = metrics.class_report(np.array([[30, 20, 10], [50, 60, 10], [20, 20, 80]]).T)  # the slide's rows are predictions\n"
YES_NO = 'tinycnn metrics "80 25; 10 35" --names yes,no --positive yes'
YES = "sections.two classes, yes is positive.steps"
ABC = 'tinycnn metrics "30 20 10; 50 60 10; 20 20 80" --names A,B,C --orientation predicted-rows'

DATA = (
    Row(
        "I01", "S2 S3 S4",
        "MNIST and CIFAR-10, the small data sets everyone starts with.",
        ("tinycnn data stats digits", "tinycnn data stats mnist", "tinycnn data stats cifar10", "tinycnn train lenet5 --data mnist"),
        (Check("digits that come with the package", "from tinycnn import data\nlen(data.load_digits(train=True)[1]) + "
            "len(data.load_digits(train=False)[1])", 5000),),
    ),
    Row(
        "I02", "S0 S2 S4",
        "ImageNet, COCO and VOC, the large ones.",
        ("tinycnn data stats ~/photos", "tinycnn data check ~/VOC2007", "tinycnn data check instances.json --images ~/photos",
         "tinycnn train fasterrcnn_mini --data voc:VOC2007", "tinycnn train fasterrcnn_mini --data coco:COCO"),
        (
            Check("VOC's box of the first pixel, counted from 1 and inclusive, in continuous pixels",
                  'from tinycnn.data.annotations import convert_boxes\nconvert_boxes([[1, 1, 1, 1]], "voc", "xyxy")', [[0, 0, 1, 1]]),
        ),
    ),
    Row(
        "I03", "S1 S4",
        "Augmentation shows each image a little different every time.",
        ("tinycnn train resnet20 --data cifar10 --set flip=true --set cutout=16 --set mixup=0.2",
         "tinycnn train fasterrcnn_mini --data shapes --set flip=true --set colour=0.2"),
        (
            Check("mirrored with its image of 8 pixels: a box, and a pair of eyes, which change their names",
                  "from tinycnn.data.transforms import JointHorizontalFlip\n"
                  "told = {'boxes': np.array([[1.0, 0, 3, 1]]), 'keypoints': np.array([[[1.0, 0, 2], [3, 0, 2]]])}\n"
                  "told = JointHorizontalFlip(1.0, swap=(1, 0))(np.zeros((1, 8), np.uint8), told)[1]\n"
                  "[*told['boxes'][0], *told['keypoints'][0, :, 0]]", [5, 0, 7, 1, 5, 7]),
        ),
        "a sheet that previews the changed images is not drawn",
    ),
    Row(
        "I04", "S1",
        "Elastic deformation bends an image smoothly at random.",
        ("tinycnn train lenet5 --set elastic=8", "tinycnn train unet --data nuclei"),
        (
            Check("points go the other way of what is drawn: everything fetched from one pixel to the right moves one to the left",
                  "from tinycnn.data.transforms.joint_elastic import bent_points\n"
                  "bent_points([[2.0, 1.0]], np.stack([np.zeros((3, 3)), np.ones((3, 3))]))", [[1, 1]]),
        ),
        "a view of strength and smoothness side by side is not drawn",
    ),
    Row(
        "I05", "S0",
        "Tools that draw annotations, each with its own file format.",
        ("tinycnn data check ~/BCCD", "tinycnn data convert ~/BCCD boxes.json --to coco", "tinycnn data convert boxes.json labels --to labelme"),
        (
            Check("YOLO's whole image of 4 x 8 pixels, as COCO writes it",
                  'from tinycnn.data.annotations import convert_boxes\nconvert_boxes([[0.5, 0.5, 1, 1]], "yolo", "xywh", (4, 8))', [[0, 0, 8, 4]]),
            Check("formats that are written", "from tinycnn.data.annotations import TARGETS\nsorted(TARGETS)",
                  ["coco", "labelbox", "labelme", "via", "via-csv", "voc", "yolo"]),
        ),
    ),
    Row(
        "I06", "S1",
        "Segmentation is scored by mean pixel accuracy and mean IoU over the classes.",
        ('tinycnn conventions "mIoU"',),
        (
            Check("IoU of each class and their mean",
                  "m = metrics.confusion_matrix([0, 0, 0, 1, 1, 1], [0, 0, 1, 1, 1, 1])\n"
                  "iou = np.diag(m) / (m.sum(0) + m.sum(1) - np.diag(m))\n[*iou, iou.mean()]", [2 / 3, 3 / 4, 17 / 24], within=1e-12),
            Check("mean accuracy 5/6, and mean IoU, of the same pixels and one that is ignored",
                  "truth, guess = [0, 0, 0, 1, 1, 1, 255], [0, 0, 1, 1, 1, 1, 0]\n"
                  "[metrics.mean_accuracy(truth, guess, 2), metrics.mean_iou(truth, guess, 2)]", [5 / 6, 17 / 24], within=1e-12),
            Check("a class that nothing shows: left out, or counted as 0",
                  "table = [[3, 1, 0], [0, 4, 0], [0, 0, 0]]\n"
                  "[metrics.segmentation_scores(table, absent=rule).mean_iou for rule in ('skip', 'zero')]", [0.775, 0.5167], within=5e-5),
        ),
    ),
    Row(
        "I07", "S4",
        "The picture of intersection over union.",
        ("tinycnn explain box_iou --html iou.html",),
        (Check("equal boxes", "ops.box_iou(np.array([[0.0, 0, 4, 4]]), np.array([[0.0, 0, 4, 4]])).item()", 1),),
    ),
    Row(
        "I08", "S4",
        "Yes or no: precision, recall, accuracy and their harmonic mean from the four counts.",
        (f"{YES_NO} --html metrics.html", "tinycnn exercise precision-recall --seed 1", "tinycnn myths accuracy-is-enough"),
        (
            Check("precision, as a fraction", YES_NO, "8/9", f"{YES}.precision.exact"),
            Check("recall", YES_NO, "16/21", f"{YES}.recall.exact"),
            Check("F1", YES_NO, "32/39", f"{YES}.F1.exact"),
            Check("accuracy", YES_NO, "23/30", f"{YES}.accuracy.exact"),
            Check("precision 80/90", BINARY + "report.precision[1]", 0.8889, within=5e-5),
            Check("recall 80/105", BINARY + "report.recall[1]", 0.7619, within=5e-5),
            Check("F1", BINARY + "report.f1[1]", 0.8205, within=5e-5),
            Check("accuracy 115/150 (the slide says 0.7)", "truth, guess = np.repeat([1, 1, 0, 0], [80, 25, 10, 35]), np.repeat([1, 0, 1, 0], "
                "[80, 25, 10, 35])\n"
                  "metrics.accuracy(truth, guess)", 0.7667, within=5e-5),
        ),
    ),
    Row(
        "I09", "S4",
        "Three classes: a row of the slide's table is a prediction, a column the truth.",
        (f"{ABC} --html metrics.html", "tinycnn myths macro-f1"),
        (
            Check("precision of C", ABC, "2/3", "sections.class C against the rest.steps.precision of C.exact"),
            Check("recall of A", ABC, "3/10", "sections.class A against the rest.steps.recall of A.exact"),
            Check("F1 of B", ABC, "6/11", "sections.class B against the rest.steps.F1 of B.exact"),
            Check("precision of A, B, C", TURNED + "report.precision", [0.5, 0.5, 0.6667], within=5e-5),
            Check("recall", TURNED + "report.recall", [0.3, 0.6, 0.8], within=5e-5),
            Check("F1", TURNED + "report.f1", [0.375, 0.5455, 0.7273], within=5e-5),
            Check("macro averages", TURNED + "[report.precision.mean(), report.recall.mean(), report.f1.mean()]", [0.5556, 0.5667, 0.5492],
                within=5e-5),
            Check("micro average = accuracy", "table = np.array([[30, 20, 10], [50, 60, 10], [20, 20, 80]])\ntable.trace() / table.sum()", 0.5667,
                  within=5e-5),
            Check("the other macro F1: of the mean precision and recall", TURNED + "p, r = report.precision.mean(), report.recall.mean()\n2 * p * "
                "r / (p + r)",
                  0.5611, within=5e-5),
        ),
    ),
    Row(
        "I10", "S4",
        "One number of many classes: micro, macro, weighted or sample averages.",
        (ABC,),
        (
            Check("F1 weighted by how often each class is true", TURNED + "float((report.f1 * report.support).sum() / report.support.sum())",
                0.549242,
                  within=5e-6),
            Check("macro, micro and weighted F1 from labels, as scikit-learn's function gives them",
                  "table = np.array([[30, 20, 10], [50, 60, 10], [20, 20, 80]]).T\n"
                  "truth, guess = (np.repeat(side.ravel(), table.ravel()) for side in np.indices((3, 3)))\n"
                  "[metrics.f1_score(truth, guess, average=name) for name in ('macro', 'micro', 'weighted')]", [0.5492, 0.5667, 0.5492],
                  within=5e-5),
            Check("several labels an example, the mean over examples",
                  "metrics.f1_score([[1, 0], [1, 1]], [[1, 0], [1, 0]], average='samples')", 5 / 6, within=1e-12),
        ),
    ),
    Row(
        "I11", "S0 S1",
        "Average precision: the area under precision over recall, as VOC and COCO count it.",
        ("tinycnn ap detections.json instances.json --rule voc07 --steps", "tinycnn exercise ap --seed 1",
         "tinycnn eval runs/fasterrcnn_mini-shapes"),
        (
            Check("right, wrong, right of two objects: 11 points, area, 101 points",
                  "[metrics.average_precision([0.9, 0.8, 0.7], [True, False, True], 2, rule=rule) for rule in ('voc07', 'voc10', 'coco')]",
                  [(6 + 5 * 2 / 3) / 11, 5 / 6, (51 + 50 * 2 / 3) / 101], within=1e-9),
        ),
    ),
    Row(
        "I12", "S4",
        "The groups' networks are ranked on CIFAR-10.",
        ("tinycnn leaderboard --data cifar10",),
    ),
    Row(
        "I13", "S4",
        "The midterm's report: motivation, method, evaluation, reproduction, on two pages.",
        ("tinycnn report runs/resnet20-cifar10 --html midterm.html", "tinycnn report runs/resnet20-cifar10 --latex midterm.tex",
         "tinycnn summary resnet20 --html method.html", "tinycnn train resnet20 --data cifar10"),
    ),
    Row(
        "I14", "S0",
        "A quiz, and a summary of the class.",
        ("tinycnn exercise shapes --seed 1", "tinycnn lecture S0"),
    ),
)  # fmt: skip
