"""Parts G and H: segmentation, restoration and style; representation, transfer, retrieval and visualisation."""

from __future__ import annotations

from .entries import Check, Row

__all__ = ["REPRESENTATION", "SEGMENTATION"]

UNET_DOWN = " | maxpool 2 | ".join(f"conv 3x3x{maps} | conv 3x3x{maps}" for maps in (64, 128, 256, 512))

SEGMENTATION = (
    Row(
        "G01", "S0 S1 S2",
        "Semantic segmentation names a class for every pixel: down to small maps, up again to H x W.",
        ("tinycnn train unet_small --data shapes", "tinycnn segment photo.jpg --model runs/unet_small-shapes", "python examples/03_segmentation.py",
         "tinycnn segment photo.jpg --model deeplabv3_resnet50 --weights deeplabv3_resnet50_coco-cd0a2569.pth"),
        (
            Check("half the size in the middle, all of it at the end",
                  'tinycnn shape "conv 3x3x64 p1 | maxpool 2 | conv 3x3x64 p1 | deconv 2x2x21 s2" --in 3x64x64',
                  "64x64x64 -> 64x32x32 -> 21x64x64", "path"),
        ),
    ),
    Row(
        "G02", "S0 S1",
        "FCN: a classifier's dense layers become convolutions, and its coarse answers are upsampled, with skips.",
        ("tinycnn train fcn8s_small --data shapes", "tinycnn train fcn32s_vgg16 --data camvid", "tinycnn summary fcn8s_small"),
        (
            Check("parameters of FCN-32s: VGG-16's, turned, with 21 scores, and one upsampling of 64 x 64",
                  'sum(p.numel() for p in nn.utils.skip_init(models.get_model, "fcn32s_vgg16").parameters())', 134_346_581 + 21 * 21 * 64 * 64),
            Check("where FCN-32s cuts its scores so that they lie over the image", 'models.segmentation.crop_offsets(32)["image"]', 19),
            Check("a dense layer turned answers as before",
                  "dense, x = nn.Linear(12, 5).double(), np.arange(12.0).reshape(1, 3, 2, 2)\n"
                  "turned = models.segmentation.convolutionalise(dense, 2).double()(x)\n"
                  "float(np.abs(turned.data.ravel() - dense(x.reshape(1, 12)).data.ravel()).max())", 0, within=1e-5),
            Check("VGG-16's first dense layer as a 7 x 7 convolution has the same weights",
                  "[nn.utils.skip_init(nn.Linear, 512 * 7 * 7, 4096).weight.numel(), nn.utils.skip_init(nn.Conv2d, 512, 4096, 7).weight.numel()]",
                  [102_760_448, 102_760_448]),
        ),
    ),
    Row(
        "G03", "S0",
        "DeconvNet and SegNet unpool with the places that pooling remembered.",
        ("tinycnn explain max_unpool2d", "tinycnn train segnet --data camvid", "tinycnn train deconvnet_small --data shapes"),
        (
            Check("parameters of SegNet for 11 classes",
                  'sum(p.numel() for p in nn.utils.skip_init(models.get_model, "segnet").parameters())', 29_449_355),
            Check("of DeconvNet for 21", 'sum(p.numel() for p in nn.utils.skip_init(models.get_model, "deconvnet").parameters())', 251_805_653),
        ),
    ),
    Row(
        "G04", "S1 S2",
        "U-Net: an encoder, a decoder, skips between them, and elastic deformation in place of many samples.",
        ("tinycnn train unet --data nuclei", "tinycnn segment cells.png --model runs/unet-nuclei --labels cells-numbered.png"),
        (
            Check("the way down from 572 x 572, valid: 64 x 64 before the last pooling", f'tinycnn shape "{UNET_DOWN}" --in 1x572x572',
                "512x64x64", "path"),
            Check("what comes out of 572 and does not of 570, and what 388 needs",
                  "U = models.segmentation\n[U.unet_output_size(572), U.unet_output_size(570) is None, U.unet_input_size(388)]", [388, 1, 572]),
            Check("parameters", 'sum(p.numel() for p in nn.utils.skip_init(models.get_model, "unet").parameters())', 31_030_658),
            Check("layers of convolution, those upwards among them",
                  'net = nn.utils.skip_init(models.get_model, "unet")\n'
                  "sum(isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)) for layer in net.modules())", 23),
            Check("the pixel between two cells counts 1 + 10 exp(-(1 + 1)^2 / (2 * 5^2))",
                  "float(models.segmentation.unet_weight_map([[1, 0, 2, 0, 0, 0]], balance=False)[0, 1])", 1 + 10 * 0.92311635, within=1e-5),
        ),
    ),
    Row(
        "G05", "S0",
        "Gated-SCNN has a second stream for shapes, whose gates open where a boundary is.",
        ("tinycnn train gated_scnn --data camvid", "tinycnn summary gated_scnn"),
        (
            Check("where the class changes; ignored pixels stay ignored", "models.segmentation.label_edges([[[0, 0, 0, 1, 1, 255]]])",
                  [0, 0, 1, 1, 0, 255]),
            Check("the loss of an undecided boundary of one pixel in four: (3/4 + 3/4)/4 log 2",
                  "models.segmentation.edge_loss(tinycnn.Tensor(np.zeros((1, 1, 1, 4))), np.array([[[1, 0, 0, 0]]])).item()", 0.25993019,
                  within=1e-8),
        ),
    ),
    Row(
        "G06", "S2",
        "An autoencoder squeezes an image through a narrow code and draws it again.",
        ("tinycnn autoencode --html code.html", "tinycnn autoencode --code 1 --depth 2 --steps 800"),
        (
            Check("784 pixels become a code of 2 x 7 x 7",
                  'models.get_model("conv_autoencoder").encode(np.zeros((1, 1, 28, 28), np.float32)).shape', [1, 2, 7, 7]),
        ),
    ),
    Row(
        "G07", "S2",
        "Denoising learns from pairs of clean and degraded images.",
        ("tinycnn denoise Set12 --model dncnn --weights dncnn_25.pth --grey --noise gaussian --sigma 25", "tinycnn denoise photo.jpg",
         "tinycnn learn-denoising BSD68 --model dncnn --noise gaussian --sigma 25 --test Set12", "python examples/09_denoising.py"),
        (
            Check("PSNR of an error of 0.1 on images from 0 to 1", "metrics.peak_signal_noise_ratio(np.full(9, 0.5), np.full(9, 0.6), data_range=1)",
                20, within=1e-9),
            Check("SSIM of two flat images, 0.5 and 0.6: (0.6 + c) / (0.61 + c) with c = 0.0001",
                  "metrics.structural_similarity(np.full((11, 11), 0.5), np.full((11, 11), 0.6), data_range=1)", 0.6001 / 0.6101, within=1e-9),
            Check("parameters of DnCNN", 'sum(p.numel() for p in nn.utils.skip_init(models.get_model, "dncnn").parameters())', 555_137),
            Check("variance of a grey of 0.5 counted in at most 50 photons: 0.5 / 50",
                  "float(models.restoration.poisson_noise(np.full((64, 64), 0.5), 50.0, generator=np.random.default_rng(0)).var())", 0.01,
                  within=0.001),
        ),
    ),
    Row(
        "G08", "S2",
        "Content-aware restoration needs true images, and examples of all that matters.",
        ("tinycnn learn-denoising BSD68 --model care_unet --noise poisson --strength 20 --loss l1 --test cells",),
        (
            Check("parameters of its U-Net", 'sum(p.numel() for p in nn.utils.skip_init(models.get_model, "care_unet").parameters())', 470_977),
            Check("before it has learned, it gives the image back",
                  'image = np.random.default_rng(0).random((1, 1, 7, 9), np.float32)\n'
                  'bool((models.get_model("care_unet", width=2)(image).detach().numpy() == image).all())', True),
        ),
    ),
    Row(
        "G09", "S2",
        "Noise2Void learns from noisy images alone: it hides a pixel and predicts it from its neighbours; correlated noise defeats it.",
        ("tinycnn noise2void photo.jpg --grey --demonstrate", "tinycnn noise2void cells.png --steps 300 --html cells.html",
         "python examples/09_denoising.py"),
        (
            Check("one pixel hidden in each 8 x 8 of a patch of 16 x 16, and nothing else changed",
                  "patch, draw = np.arange(256.0).reshape(1, 1, 16, 16), np.random.default_rng(0)\n"
                  "batch = models.restoration.blind_spot_batch(patch, generator=draw)\n"
                  "[int(batch.mask.sum()), int((batch.input != batch.target).sum())]", [4, 4]),
            Check("only hidden pixels count: an error of 2 where it is hidden, of 5 where not",
                  "models.restoration.masked_mse_loss(np.array([1.0, 5.0]), np.array([3.0, 0.0]), np.array([1.0, 0.0])).item()", 4),
            Check("stripes: each row has one number for all its pixels, which a neighbour gives away",
                  "noisy = models.restoration.stripe_noise(np.zeros((3, 4)), 0.1, generator=np.random.default_rng(0))\n"
                  "float(np.abs(noisy - noisy[:, :1]).max())", 0),
        ),
    ),
    Row(
        "G10", "S0 S1",
        "Instance segmentation separates the objects of a class.",
        ("tinycnn train maskrcnn_mini --data shapes --minutes 30", "tinycnn train unet --data nuclei", "python examples/05_instance_segmentation.py",
         'tinycnn glossary "instance segmentation"'),
        (
            Check("two cells that touch, out of background 0, interior 1 and border 2",
                  "models.segmentation.instances_by_border([[0, 2, 1, 2, 2, 1, 2, 0]], smallest=1)", [0, 1, 1, 1, 2, 2, 2, 0]),
            Check("cells found, invented and missed", "models.segmentation.match_instances([[1, 1, 1, 0, 2]], [[5, 5, 5, 0, 0]])", [1, 0, 1]),
        ),
    ),
    Row(
        "G11", "S0 S3",
        "Neural style transfer: content from deep features, style from Gram matrices.",
        ("tinycnn style photo.jpg painting.jpg", "tinycnn style photo.jpg painting.jpg --size 128 --steps 40 --reconstruct",
         "tinycnn fast-style photo.jpg --style painting.jpg --images photos", "python examples/07_style.py photo.jpg painting.jpg",
         "tinycnn explain style_loss --backward", "tinycnn explain total_variation"),
    ),
)  # fmt: skip

REPRESENTATION = (
    Row(
        "H01", "S0 S4",
        "A trained network as fixed extractor, with its last layers trained further, or as a start for all of it.",
        ("tinycnn transfer runs/lenet5-mnist --data digits --mode extractor", "tinycnn transfer runs/resnet20-cifar10 --data cifar100 --mode "
            "finetune",
         "tinycnn transfer runs/resnet20-cifar10 --data cifar100 --mode all"),
        (
            Check("freezing all but the head of LeNet-5 leaves 850 parameters to learn",
                  'net = models.lenet5()\nnn.freeze_except(net, ["fc3"])\n'
                  "sum(p.numel() for p in net.parameters() if p.requires_grad)", 850),
        ),
    ),
    Row(
        "H02", "S4",
        "The recipe of six stages: freeze, train the head, unfreeze stage by stage.",
        ("tinycnn transfer runs/resnet20-cifar10 --data cifar100 --mode stages", "tinycnn transfer --show-recipe"),
        (Check("its stages", "from tinycnn import train\nlen(train.read_schedule(train.SIX_STAGES, 'the recipe').stages)", 6),),
    ),
    Row(
        "H03", "S4",
        "A new head, with some neck layers before it, or several heads.",
        ("tinycnn transfer runs/resnet20-cifar10 --data cifar100 --neck 128 --mode extractor",),
    ),
    Row(
        "H04", "S4",
        "Early features are general (edges, textures, colours), late ones belong to the task.",
        ("tinycnn experiment layer-transfer resnet20 --data cifar10",),
    ),
    Row(
        "H05", "S3 S4",
        "CNN codes: the features before the classifier, for a support vector machine, retrieval or clustering.",
        ("tinycnn codes runs/lenet5-mnist --data digits --map pca",),
    ),
    Row(
        "H06", "S2",
        "What deep features look like: edges in the first layer, textures, then parts.",
        ("tinycnn attribute --model runs/lenet5-mnist --show patches --layer conv2 --unit 3 --out patches.png",
         "tinycnn attribute photo.jpg --model efficientnet_lite0 --show activations --layer _blocks.4 --out maps.png",
         "tinycnn attribute --model runs/lenet5-mnist --show filters --out filters.png",
         "tinycnn attribute photo.jpg --method guided_backprop deconvnet --out sheet.png", "tinycnn dream photo.jpg"),
        (
            Check("the pixels that move an element of LeNet-5's second convolution: 14 x 14 at most, 5 + 2 * 4 + 1",
                  'field = study.effective_receptive_field(models.lenet5(), "conv2", (4, 1, 28, 28))\n[*field.box, field.outside]',
                  [8, 8, 21, 21, 0]),
        ),
    ),
    Row(
        "H07", "S0",
        "A class activation map is the sum of the last maps, weighted by the class's weights behind the global average.",
        ("tinycnn attribute photo.jpg --model efficientnet_lite0 --method cam grad_cam layer_cam --html maps.html",
         "tinycnn attribute photo.jpg --model efficientnet_lite0 --show check --out check.png", 'tinycnn glossary "class activation map"'),
        (
            Check("of ResNet-20: the map's mean and the bias are the logit",
                  "from tinycnn.study.attribution import cam\n"
                  "net, x = models.resnet20().eval(), np.random.default_rng(0).random((1, 3, 32, 32), np.float32)\n"
                  "float(cam(net, x, target=3).raw.mean() + net.linear.bias.data[3] - net(x).data[0, 3])", 0, within=1e-4),
            Check("its mean is the class's score", "maps, w = np.arange(24.0).reshape(1, 2, 3, 4), np.array([1.0, -2.0])\n"
                  "cam = (maps[0] * w[:, None, None]).sum(0)\n[float(cam.mean()), F.linear(F.flatten(F.global_avg_pool(maps), 1), w[None]).item()]",
                  [-29.5, -29.5], within=1e-9),
        ),
    ),
    Row(
        "H08", "S2",
        "Recognise a person from a single photo, without training again: compare embeddings.",
        ("tinycnn faces train orl_faces --loss arcface", "tinycnn faces evaluate orl_faces --html faces.html", "tinycnn faces enrol Ada ada.png",
         "tinycnn faces verify Ada photo.jpg", "tinycnn faces identify photo.jpg", "python examples/10_faces.py",
         "tinycnn explain cosine_similarity", "tinycnn explain triplet_margin_loss"),
        (
            Check("parameters of the face network for 56 x 46 pixels", 'net = models.get_model("small_face", image_size=(56, 46))\n'
                  "sum(p.numel() for p in net.parameters())", 85_216),
            Check("two people enrolled by a vector each: Ada's is taken for Ada's, not for Ben's",
                  "from tinycnn.train.gallery import Gallery\ngallery, seen = Gallery(threshold=0.8), np.array([1.0, 0.1])\n"
                  'gallery.enrol("Ada", np.array([[1.0, 0.0]]))\ngallery.enrol("Ben", np.array([[0.0, 1.0]]))\n'
                  '[gallery.verify(name, seen).accepted for name in ("Ada", "Ben")]', [True, False]),
        ),
    ),
    Row(
        "H09", "S3",
        "Retrieval: the images whose codes are nearest.",
        ("tinycnn codes runs/lenet5-mnist --data digits",),
    ),
)  # fmt: skip
