"""The terms of the glossary; the decks are numbered as `tinycnn lecture` numbers them."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ROWS", "Term"]


@dataclass(frozen=True)
class Term:
    """One term: its names, what it is, the deck that names it, where it comes from, and commands or parts of this package (`here`)."""

    name: str
    also: tuple[str, ...]
    what: str
    deck: str
    source: str
    here: tuple[str, ...] = ()


ROWS = (
    Term(
        "Action recognition", ("actions", "video classification"),
        "Say what is done in a clip of video. The small answer: features of every frame from a network for images, then a pooling or a "
        "convolution over time and one classification. Two-stream networks add the optical flow, 3-D convolutions look at space and time at "
        "once.",
        "S0", "Karpathy et al., CVPR 2014; Simonyan and Zisserman, NeurIPS 2014; Carreira and Zisserman, CVPR 2017",
        ("tinycnn experiment clips",),
    ),
    Term(
        "Adversarial example", ("adversarial",),
        "An image changed so little that people see no difference, and so skilfully, along the gradient of the loss, that a network sees "
        "another class.",
        "S0", "Goodfellow, Shlens and Szegedy, ICLR 2015",
    ),
    Term(
        "Class activation map", ("CAM", "Grad-CAM"),
        "How much each place of the last feature map speaks for a class: the maps' sum, weighted with the class's weights of the last linear "
        "layer after global average pooling; Grad-CAM takes the gradient's means as weights and so works with any head.",
        "S0", "Zhou et al., CVPR 2016; Selvaraju et al., ICCV 2017",
    ),
    Term(
        "Deconvolution network", ("DeconvNet",),
        "Noh's network for segmentation: a VGG encoder and its mirror image, which unpools with the positions that max-pooling kept and "
        "convolves. Not a deconvolution in the sense of mathematics: its layers are transposed convolutions.",
        "S0", "Noh, Hong and Han, ICCV 2015",
        ("tinycnn explain max_unpool2d", "tinycnn explain conv_transpose2d"),
    ),
    Term(
        "Deformable part model", ("DPM",),
        "The best detector before networks: a filter for the whole object and filters for its parts over gradient histograms, parts that may "
        "move at a price, a support vector machine over it, at every place and scale of an image pyramid.",
        "S4", "Felzenszwalb, Girshick, McAllester and Ramanan, PAMI 2010",
    ),
    Term(
        "DQN", ("playing games", "deep Q-network", "Atari"),
        "A convolutional network that sees four frames of a game and gives a value for every button; it learns from the score alone, from "
        "replayed moves.",
        "S3", "Mnih et al., Nature 2015; Guo et al., NeurIPS 2014 (the slide's picture)",
    ),
    Term(
        "FoveaBox", (),
        "A detector without anchors: every cell near the middle of an object, in the pyramid level of its size, says class and the four "
        "distances to a box, on a logarithmic scale.",
        "S4", "Kong et al., TIP 2020",
        ("tinycnn train foveabox_mini --data shapes", "tinycnn summary fcos_resnet50_fpn"),
    ),
    Term(
        "Graph convolution network", ("GCN",),
        "Convolution where neighbours are given by a graph's edges instead of a grid: each node's features become a weighted mean of its "
        "neighbours', then a linear layer.",
        "S0", "Kipf and Welling, ICLR 2017",
    ),
    Term(
        "Image captioning", ("NeuralTalk", "caption"),
        "A sentence about an image: features of a convolutional network start a recurrent network, which says word after word.",
        "S3", "Karpathy and Fei-Fei, CVPR 2015; Vinyals et al., CVPR 2015",
    ),
    Term(
        "Instance segmentation", (),
        "A mask for every single object, where semantic segmentation gives a class to every pixel and does not tell two neighbours of a class "
        "apart.",
        "S0 S1", "He et al., Mask R-CNN, ICCV 2017",
        ("tinycnn train maskrcnn_mini --data shapes", "tinycnn ap masks.json instances.json --kind segm"),
    ),
    Term(
        "Papers with Code", ("paperswithcode", "leaderboards"),
        "Lists of benchmarks with the papers that did best on them; the site of the decks' links was closed in 2025. Numbers of such a list "
        "were measured by different people under different rules.",
        "S0 S4", "paperswithcode.com, 2018 to 2025",
        ("tinycnn leaderboard --published",),
    ),
    Term(
        "Pooling Pyramid Network", ("PPN",),
        "SSD with one box predictor shared by all scales, and the smaller maps made by max-pooling instead of convolutions: three times "
        "smaller, and scores of different scales can be compared.",
        "S4", "Jin, Rives and Chen, 2018, arXiv:1807.03284",
        ("tinycnn summary ssd300_vgg16",),
    ),
    Term(
        "Pose estimation", ("keypoints", "DeepPose"),
        "Where the joints of a body are: as numbers from a regression (DeepPose), or as a map of probabilities for each joint (the keypoint "
        "head of Mask R-CNN); measured by OKS, which divides distances by the object's size and by how exactly people mark that joint.",
        "S1 S3", "Toshev and Szegedy, CVPR 2014; He et al., ICCV 2017",
        ("tinycnn train keypointrcnn_mini --data shapes", "tinycnn ap detections.json truth.json --kind keypoints"),
    ),
    Term(
        "Region growing", (),
        "Segmentation from seeds: a region takes in every neighbour that is like enough to it. Felzenszwalb's graph segmentation, with which "
        "selective search begins, merges regions while the border between them is no larger than the differences inside.",
        "S2", "Felzenszwalb and Huttenlocher, IJCV 2004",
    ),
    Term(
        "Scene text detection", ("text detection", "EAST"),
        "Find words on photographs: long, thin, turned boxes. EAST is one fully convolutional network that says for every pixel how sure it "
        "is and where the four sides of a turned box are; overlapping boxes are averaged before suppression.",
        "S4", "Zhou et al., EAST, CVPR 2017; Liao et al., TextBoxes, AAAI 2017",
    ),
    Term(
        "Selective search", ("region proposals",),
        "About 2,000 regions that may hold an object, found without learning: small like regions are merged pair by pair, the most similar "
        "first, by colour, texture, size and fill; every region on the way is a proposal.",
        "S1 S2 S4", "Uijlings et al., IJCV 2013",
        ("tinycnn region-costs vgg16",),
    ),
    Term(
        "SNIPER", ("SNIP",),
        "Train on chips of 512 pixels cut from an image pyramid around objects of a suitable size: each scale learns only from objects that "
        "are neither tiny nor huge there, at the price of a few chips instead of a whole enlarged image; negative chips hold what a weak "
        "detector takes for objects.",
        "S4", "Singh and Davis, CVPR 2018; Singh, Najibi and Davis, NeurIPS 2018",
        ('tinycnn train fasterrcnn_mini --data shapes --sniper "2:0-40 1:32-"',),
    ),
    Term(
        "SSD300 by NVIDIA", ("DeepLearningExamples",),
        "A reference program with a ResNet-50 in VGG's place, cut after its third stage and with stride 1 there, and six maps with 8,732 "
        "boxes.",
        "S0", "github.com/NVIDIA/DeepLearningExamples, PyTorch/Detection/SSD",
        ("tinycnn summary ssd300_vgg16",),
    ),
    Term(
        "Style transfer", ("neural style", "Gram matrix"),
        "An image with the content of one picture and the style of another: style is measured by how much the channels of a feature map occur "
        "together (the Gram matrix, an autocorrelation of features), content by the maps themselves; the image is found by gradient descent "
        "on its pixels.",
        "S0", "Gatys, Ecker and Bethge, CVPR 2016",
    ),
    Term(
        "Theano", (),
        "The first library that made derivatives of array programs and ran them on graphics cards (Montreal, 2007 to 2017); PyTorch and "
        "TensorFlow took its place. Its convolution flips the kernel, unlike theirs.",
        "S3", "Theano development team, 2016, arXiv:1605.02688",
        ("tinycnn conventions", "tinycnn views"),
    ),
    Term(
        "Transfer learning", ("fine-tuning",),
        "Begin with weights that learned another task: replace the last layer, learn it alone, then perhaps the rest at a smaller rate.",
        "S0 S4", "Yosinski et al., NeurIPS 2014",
        ("tinycnn transfer", "tinycnn experiment layer-transfer"),
    ),
    Term(
        "Video detection", ("video homework",),
        "A detector on every frame, or on every third: no network sees time. Frames a second count with reading and drawing, which can cost "
        "as much as the network.",
        "S0", "Liu et al., SSD, ECCV 2016: 59 frames a second at 300 pixels on a graphics card of 2016",
        ("tinycnn detect street.mp4 --model ssd300_vgg16 --weights FILE --out found.gif",),
    ),
)  # fmt: skip
