"""Part B: pooling, unpooling and upsampling."""

from __future__ import annotations

from .entries import Check, Row

__all__ = ["POOLING"]

SQUARE = "1 1 2 4; 5 6 7 8; 3 2 1 0; 1 2 3 4"
REMEMBERED = "1 2 6 3; 3 5 2 1; 1 2 2 1; 7 3 4 8"
SCATTERED = [[1, 1, 3, 2, 2], [1, 1, 3, 2, 2], [4, 4, 10, 6, 6], [3, 3, 7, 4, 4], [3, 3, 7, 4, 4]]
ONES = "1 1 1; 1 1 1; 1 1 1"
VIEWS = """\
x, k = np.array([[[1.0, 2.0]]]), np.array([[[1.0, 2.0, 3.0]]])
scattered = F.conv_transpose1d(x, k, stride=2).numpy().ravel()
stuffed = F.conv1d(np.array([[[0.0, 0, 1, 0, 2, 0, 0]]]), k[:, :, ::-1].copy()).numpy().ravel()
W = study.conv2d_matrix(k[:, :, None], (1, 5), stride=2)
[scattered, stuffed, W.T @ x.ravel()]"""

POOLING = (
    Row(
        "B01", "S2",
        "Pooling summarises windows: kernel size, stride and the operation are its parameters, and it learns nothing.",
        ("tinycnn explain max_pool2d --backward", "tinycnn explain avg_pool2d", "tinycnn explain lp_pool2d",
         f'tinycnn animate max_pool2d "{SQUARE}" kernel_size=2 --html pool.html'),
        (
            Check("2 x 2, stride 2: a quarter of the places", "tinycnn shape max_pool2d --in 6 --k 2 --s 2", [3, 3], "output"),
            Check("the average of the same windows", f'tinycnn explain avg_pool2d "{SQUARE}" kernel_size=2', [[3.25, 5.25], [2, 2]],
                "results.0.values"),
        ),
    ),
    Row(
        "B02", "S3",
        "Maximum pooling by hand on a 4 x 4 map.",
        ("tinycnn exercise pooling --seed 1",),
        (Check("the pooled map", f'tinycnn explain max_pool2d "{SQUARE}" kernel_size=2', [[6, 8], [3, 4]], "results.0.values"),),
    ),
    Row(
        "B03", "S3",
        "Each activation map is pooled on its own, and becomes smaller and easier to handle.",
        ("tinycnn explain max_pool2d",),
        (
            Check(
                "pooling the channels together or one by one",
                "x = np.arange(48.0).reshape(1, 3, 4, 4) % 7\none = np.concatenate([F.max_pool2d(x[:, c : c + 1].copy(), 2).numpy() for c in "
                    "range(3)], 1)\n"
                "bool((F.max_pool2d(x, 2).numpy() == one).all())", True,
            ),
        ),
    ),
    Row(
        "B04", "S2",
        "Pooling and strides save memory: each halving leaves a quarter of the numbers for everything behind it.",
        ("tinycnn compare pooling", "tinycnn summary lenet5"),
        (
            Check(
                "MACs of three convolutions, without and with pooling", "tinycnn compare pooling",
                [64 * 64 * 9 * 32 * (3 + 32 + 32), 9 * 32 * (64 * 64 * 3 + 32 * 32 * 32 + 16 * 16 * 32)], "table.MACs", heavy=True,
            ),
        ),
    ),
    Row(
        "B05", "S1 S2",
        "Global average pooling makes one number of each map: no weights, any image size, and maps that speak for classes.",
        ("tinycnn compare gap", "tinycnn explain global_avg_pool"),
        (
            Check("flatten against average, then 1,000 classes", "tinycnn compare gap", [25_089_000, 513_000], "table.parameters"),
            Check("a 3-D volume becomes a vector", "F.global_avg_pool(np.arange(24.0).reshape(1, 2, 3, 4)).numpy().ravel()", [5.5, 17.5]),
        ),
    ),
    Row(
        "B06", "S0",
        "Downsample by pooling or by a convolution with a stride: the same size, other costs.",
        ('tinycnn shape "conv 3x3x64 p1 | maxpool 2" --in 64x56x56', "tinycnn shape conv2d --in 64x56x56 --k 3 --s 2 --p 1 --filters 64"),
        (
            Check("pooled", 'tinycnn shape "conv 3x3x64 p1 | maxpool 2" --in 64x56x56', "64x28x28", "path"),
            Check("strided", "tinycnn shape conv2d --in 64x56x56 --k 3 --s 2 --p 1 --filters 64", [64, 28, 28], "output"),
        ),
    ),
    Row(
        "B07", "S0",
        "Max pooling can remember where its maxima stood; unpooling puts values back there, zeros elsewhere.",
        (f'tinycnn animate max_unpool2d "1 2; 3 4" --pooled "{REMEMBERED}" --html unpool.html', "tinycnn exercise unpooling --seed 1",
         "tinycnn myths max-unpool-restores"),
        (
            Check("the maxima", f'tinycnn explain max_pool2d "{REMEMBERED}" kernel_size=2 return_indices=true', [[5, 6], [7, 8]], "results.0.values"),
            Check(
                "their cells (1,1) (0,2) (3,0) (3,3), counted along rows",
                f'tinycnn explain max_pool2d "{REMEMBERED}" kernel_size=2 return_indices=true', [[5, 2], [12, 15]], "results.1.values",
            ),
            Check(
                "1 2; 3 4 put back", 'tinycnn explain max_unpool2d "1 2; 3 4" "5 2; 12 15" kernel_size=2',
                [[0, 0, 2, 0], [0, 1, 0, 0], [0, 0, 0, 0], [3, 0, 0, 4]], "results.0.values",
            ),
        ),
    ),
    Row(
        "B08", "S0",
        "Unpooling has three kinds: copies of the value, a bed of nails, and the remembered places.",
        ("tinycnn explain unpool2d", "tinycnn explain unpool2d mode=bed_of_nails", "tinycnn explain max_unpool2d"),
        (
            Check("nearest", 'tinycnn explain unpool2d "1 2; 3 4" scale=2', [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]],
                "results.0.values"),
            Check(
                "bed of nails", 'tinycnn explain unpool2d "1 2; 3 4" scale=2 mode=bed_of_nails',
                [[1, 0, 2, 0], [0, 0, 0, 0], [3, 0, 4, 0], [0, 0, 0, 0]], "results.0.values",
            ),
        ),
    ),
    Row(
        "B09", "S0",
        "Transposed convolution three ways: scatter and add scaled kernels, convolve a zero-stuffed input, multiply by W^T.",
        ("tinycnn views transposed --kernel-size 3 --stride 2", "tinycnn myths transposed-inverse", "tinycnn explain conv_transpose1d"),
        (Check("1 2 under 1 2 3 with stride 2, each way", VIEWS, [[1, 2, 5, 4, 6]] * 3),),
    ),
    Row(
        "B10", "S0",
        "The exercise: upsample with a 3 x 3 transposed convolution and stride 2; overlaps add up, which is the checkerboard.",
        ("tinycnn exercise transposed --seed 1", "tinycnn animate conv_transpose2d kernel_size=3 stride=2 --checkerboard --html checkerboard.html"),
        (
            Check("2 x 2 under ones", f'tinycnn explain conv_transpose2d "1 2; 3 4" "{ONES}" stride=2', SCATTERED, "results.0.values"),
            Check(
                "with padding 1 and output padding 1", f'tinycnn explain conv_transpose2d "1 2; 3 4" "{ONES}" stride=2 padding=1 output_padding=1',
                [[1, 3, 2, 2], [4, 10, 6, 6], [3, 7, 4, 4], [3, 7, 4, 4]], "results.0.values",
            ),
            Check(
                "how many kernels reach each cell", f'tinycnn explain conv_transpose2d "1 1; 1 1" "{ONES}" stride=2',
                [[1, 1, 2, 1, 1], [1, 1, 2, 1, 1], [2, 2, 4, 2, 2], [1, 1, 2, 1, 1], [1, 1, 2, 1, 1]], "results.0.values",
            ),
        ),
    ),
    Row(
        "B11", "S0",
        "Down- and upsampling layers come in pairs: each unpooling takes the places of its pooling.",
        ("tinycnn train segnet --data camvid", "tinycnn train deconvnet_small --data shapes"),
        (
            Check(
                "two poolings and their unpoolings bring 2 of 16 pixels' worth back to 8 x 8",
                "x = np.arange(64.0).reshape(1, 1, 8, 8)\na, i = F.max_pool2d(x, 2, return_indices=True)\nb, j = F.max_pool2d(a, 2, "
                    "return_indices=True)\n"
                "y = F.max_unpool2d(F.max_unpool2d(b, j, 2), i, 2).numpy()\n[*y.shape, int((y > 0).sum())]", [1, 1, 8, 8, 4],
            ),
        ),
    ),
    Row(
        "B12", "S0",
        "Bilinear upsampling: new pixels are weighted means of old ones; where pixels lie is a convention.",
        ('tinycnn conventions "resize coordinates" "resize nearest"', "tinycnn explain interpolate"),
        (
            Check("0 4 to four pixels, half-pixel centres", 'tinycnn conventions "resize coordinates"', [0, 1, 3, 4], "rows.0.rules.0.result"),
            Check("corners aligned", 'tinycnn conventions "resize coordinates"', [0, 1.3333, 2.6667, 4], "rows.0.rules.1.result", 5e-5),
        ),
    ),
    Row(
        "B13", "S1 S4",
        "RoIPool cuts a box of any size into a fixed grid and takes maxima; it rounds twice.",
        ("tinycnn explain roi_pool --html pool.html",),
        (
            Check("the whole 4 x 4 map, 0 to 15, in 2 x 2 bins: rounded outwards, the bins overlap", 'tinycnn conventions "RoIAlign offset"',
                [[10, 11], [14, 15]], "rows.0.rules.2.result"),
        ),
    ),
    Row(
        "B14", "S0 S1",
        "RoIAlign rounds nothing: it reads sampling points between the pixels.",
        ("tinycnn explain roi_align --backward --html align.html", 'tinycnn conventions "RoIAlign offset"'),
        (
            Check("the same, sample by sample", 'tinycnn detection roialign --boxes "0 0 4 4" --input "0 1 2 3; 4 5 6 7; 8 9 10 11; 12 13 14 15"',
                  [[2.5, 4.5], [10.5, 12.5]], "output"),
            Check("the means of the four bins, pixel centres at half", 'tinycnn conventions "RoIAlign offset"', [[2.5, 4.5], [10.5, 12.5]],
                  "rows.0.rules.0.result"),
        ),
    ),
)  # fmt: skip
