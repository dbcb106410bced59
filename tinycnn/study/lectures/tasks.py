"""Parts G and H: segmentation, restoration and style; representation, transfer, retrieval and visualisation."""

from __future__ import annotations

from .entries import Check, Row

__all__ = ["REPRESENTATION", "SEGMENTATION"]

UNET_DOWN = " | maxpool 2 | ".join(f"conv 3x3x{maps} | conv 3x3x{maps}" for maps in (64, 128, 256, 512))

SEGMENTATION = (
    Row(
        "G01", "S0 S1 S2",
        "Semantic segmentation names a class for every pixel: down to small maps, up again to H x W.",
        ('tinycnn shape "conv 3x3x64 p1 | maxpool 2 | conv 3x3x64 p1 | deconv 2x2x21 s2" --in 3x64x64',),
        (
            Check("half the size in the middle, all of it at the end",
                  'tinycnn shape "conv 3x3x64 p1 | maxpool 2 | conv 3x3x64 p1 | deconv 2x2x21 s2" --in 3x64x64',
                  "64x64x64 -> 64x32x32 -> 21x64x64", "path"),
        ),
        "networks, training and the overlay arrive with issue 7",
    ),
    Row(
        "G02", "S0 S1",
        "FCN: a classifier's dense layers become convolutions, and its coarse answers are upsampled, with skips.",
        (),
        (
            Check("VGG-16's first dense layer as a 7 x 7 convolution has the same weights",
                  "[nn.utils.skip_init(nn.Linear, 512 * 7 * 7, 4096).weight.numel(), nn.utils.skip_init(nn.Conv2d, 512, 4096, 7).weight.numel()]",
                  [102_760_448, 102_760_448]),
        ),
        "FCN-32s, 16s and 8s arrive with issue 7",
    ),
    Row(
        "G03", "S0",
        "DeconvNet and SegNet unpool with the places that pooling remembered.",
        ("tinycnn explain max_unpool2d",),
        (),
        "both networks arrive with issue 7",
    ),
    Row(
        "G04", "S1 S2",
        "U-Net: an encoder, a decoder, skips between them, and elastic deformation in place of many samples.",
        (f'tinycnn shape "{UNET_DOWN}" --in 1x572x572',),
        (Check("the way down from 572 x 572, valid: 64 x 64 before the last pooling", f'tinycnn shape "{UNET_DOWN}" --in 1x572x572', "512x64x64",
            "path"),),
        "U-Net arrives with issue 7",
    ),
    Row("G05", "S0", "Gated-SCNN has a second stream for shapes, whose gates open where a boundary is.", later="arrives with issue 7"),
    Row("G06", "S2", "An autoencoder squeezes an image through a narrow code and draws it again.", later="the code viewer arrives with issue 7"),
    Row(
        "G07", "S2",
        "Denoising learns from pairs of clean and degraded images.",
        ("tinycnn explain mse_loss",),
        (Check("PSNR of an error of 0.1 on images from 0 to 1", "-10 * np.log10(F.mse_loss(np.full(9, 0.6), np.full(9, 0.5)).item())", 20,
            within=1e-9),),
        "noise models, DnCNN, PSNR and SSIM arrive with issue 7",
    ),
    Row("G08", "S2", "Content-aware restoration needs true images, and examples of all that matters.", later="arrives with issue 7"),
    Row(
        "G09", "S2",
        "Noise2Void learns from noisy images alone: it hides a pixel and predicts it from its neighbours; correlated noise defeats it.",
        later="the masking, the viewer and the failure on structured noise arrive with issue 7",
    ),
    Row("G10", "S0 S1", "Instance segmentation separates the objects of a class.", later="Mask R-CNN arrives with issue 6, the nuclei with issue 7"),
    Row(
        "G11", "S0 S3",
        "Neural style transfer: content from deep features, style from Gram matrices.",
        ("tinycnn explain style_loss --backward", "tinycnn explain total_variation"),
        (),
        "`tinycnn style` arrives with issue 7",
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
        ("tinycnn train lenet5",),
        (),
        "activation grids, top patches, guided backpropagation and deconvnet arrive with issue 7; a run's report has filters and activations",
    ),
    Row(
        "H07", "S0",
        "A class activation map is the sum of the last maps, weighted by the class's weights behind the global average.",
        (),
        (
            Check("its mean is the class's score", "maps, w = np.arange(24.0).reshape(1, 2, 3, 4), np.array([1.0, -2.0])\n"
                  "cam = (maps[0] * w[:, None, None]).sum(0)\n[float(cam.mean()), F.linear(F.flatten(F.global_avg_pool(maps), 1), w[None]).item()]",
                  [-29.5, -29.5], within=1e-9),
        ),
        "CAM, Grad-CAM and their kin as commands arrive with issue 7",
    ),
    Row(
        "H08", "S2",
        "Recognise a person from a single photo, without training again: compare embeddings.",
        ("tinycnn explain cosine_similarity", "tinycnn explain triplet_margin_loss"),
        (),
        "enrol, verify and identify arrive with issue 7",
    ),
    Row(
        "H09", "S3",
        "Retrieval: the images whose codes are nearest.",
        ("tinycnn codes runs/lenet5-mnist --data digits",),
    ),
)  # fmt: skip
