"""Annotations to test with: one of each kind of thing, and files of each format as their tools write them."""

import json

from tinycnn.data.annotations import Annotations, Box, Category, Picture, Thing

SQUARE = (2.0, 2.0, 9.0, 2.0, 9.0, 8.0, 2.0, 8.0)
TRIANGLE = (1.5, 1.25, 12.0, 3.0, 6.0, 10.5)
RLE = {"size": [12, 20], "counts": [30, 4, 8, 4, 194]}

COCO = {
    "info": {"year": 2026},
    "images": [
        {"id": 397133, "file_name": "a.jpg", "height": 12, "width": 20, "license": 4},
        {"id": 7, "file_name": "b.jpg", "height": 30, "width": 40},
    ],
    "annotations": [
        {"id": 82, "image_id": 397133, "category_id": 18, "bbox": [2, 2, 7, 6], "segmentation": [list(SQUARE)], "area": 42, "iscrowd": 0},
        {"id": 1, "image_id": 397133, "category_id": 90, "bbox": [2, 6, 2, 4], "segmentation": RLE, "area": 8, "iscrowd": 1},
        {
            "id": 3,
            "image_id": 7,
            "category_id": 18,
            "bbox": [1.5, 2.25, 3, 4.125],
            "keypoints": [2, 3, 2, 4, 5, 1, 0, 0, 0],
            "num_keypoints": 2,
            "area": 9.5,
            "iscrowd": 0,
            "score": 0.5,
        },
    ],
    "categories": [
        {"id": 18, "name": "dog", "supercategory": "animal", "keypoints": ["nose", "left_ear", "right_ear"], "skeleton": [[1, 2], [1, 3]]},
        {"id": 90, "name": "toothbrush", "supercategory": "indoor"},
    ],
}

VOC = b"""<annotation verified="yes"><folder>VOC2007</folder><filename>a.jpg</filename>
<size><width>20</width><height>12</height><depth>3</depth></size><segmented>0</segmented>
<object><name>dog</name><pose>Left</pose><truncated>1</truncated><difficult>0</difficult>
<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>8</xmax><ymax>12</ymax></bndbox></object>
<object><name>cat</name><difficult>1</difficult>
<bndbox><xmin>3</xmin><ymin>2</ymin><xmax>20</xmax><ymax>5</ymax></bndbox>
<part><name>head</name><bndbox><xmin>4</xmin></bndbox></part></object></annotation>"""

RECTLABEL = b"""<annotation><filename>a.jpg</filename><size><width>20</width><height>12</height></size>
<object><name>dog</name><bndbox><xmin>2</xmin><ymin>2</ymin><xmax>9</xmax><ymax>8</ymax></bndbox>
<polygon><x1>2</x1><y1>2</y1><x2>9</x2><y2>2.5</y2><x3>9</x3><y3>8</y3></polygon></object>
<object><name>dog</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox>
<keypoints><x1>4</x1><y1>5</y1><v1>2</v1></keypoints></object></annotation>"""

LABELME = json.dumps(
    {
        "version": "5.0.1",
        "flags": {"checked": True},
        "shapes": [
            {"label": "dog", "points": [[1, 2], [9, 8]], "group_id": None, "shape_type": "rectangle", "flags": {}},
            {"label": "cat", "points": [[1, 1], [5, 1], [5, 6.5]], "group_id": 4, "shape_type": "polygon", "flags": {}},
            {"label": "cat", "points": [[7, 7], [9, 7], [9, 9]], "group_id": 4, "shape_type": "polygon", "flags": {}},
            {"label": "eye", "points": [[3, 4]], "group_id": None, "shape_type": "point", "flags": {}},
            {"label": "rope", "points": [[0, 0], [5, 5], [9, 5]], "group_id": None, "shape_type": "linestrip", "flags": {}},
            {"label": "ball", "points": [[6, 6], [6, 9]], "group_id": None, "shape_type": "circle", "flags": {}},
        ],
        "imagePath": "a.jpg",
        "imageData": None,
        "imageHeight": 12,
        "imageWidth": 20,
    }
).encode()

VIA = {
    "a.jpg9000": {
        "filename": "a.jpg",
        "size": 9000,
        "regions": [
            {"shape_attributes": {"name": "rect", "x": 1, "y": 2, "width": 5, "height": 6}, "region_attributes": {"name": "dog", "tail": "long"}},
            {
                "shape_attributes": {"name": "polygon", "all_points_x": [1, 5, 5], "all_points_y": [1, 1, 6]},
                "region_attributes": {"name": "cat"},
            },
            {"shape_attributes": {"name": "circle", "cx": 5, "cy": 6, "r": 2.5}, "region_attributes": {"name": "ball"}},
            {"shape_attributes": {"name": "ellipse", "cx": 5, "cy": 6, "rx": 3, "ry": 2, "theta": 0.5}, "region_attributes": {"name": "ball"}},
            {"shape_attributes": {"name": "point", "cx": 5, "cy": 6}, "region_attributes": {"name": "eye"}},
            {"shape_attributes": {"name": "polyline", "all_points_x": [1, 5], "all_points_y": [1, 2]}, "region_attributes": {"name": "rope"}},
        ],
        "file_attributes": {"weather": "rain"},
    },
    "b.jpg77": {"filename": "b.jpg", "size": 77, "regions": [], "file_attributes": {}},
}

LABELBOX_OLD = [
    {
        "ID": "ck1",
        "External ID": "a.jpg",
        "Labeled Data": "https://host/a.jpg?x=1",
        "Label": {
            "objects": [
                {"title": "dog", "value": "dog", "bbox": {"top": 2, "left": 1, "height": 6, "width": 5}},
                {"title": "cat", "polygon": [{"x": 1, "y": 1}, {"x": 5, "y": 1}, {"x": 5, "y": 6}], "featureId": "f1"},
                {"title": "eye", "point": {"x": 3, "y": 4}},
                {"title": "rope", "line": [{"x": 1, "y": 1}, {"x": 5, "y": 2}]},
            ]
        },
    },
    {"ID": "ck2", "Labeled Data": "https://host/folder/b.jpg?x=1", "Label": "Skip"},
]

LABELBOX_NDJSON = json.dumps(
    {
        "data_row": {"id": "ck1", "external_id": "a.jpg", "row_data": "https://host/a.jpg"},
        "media_attributes": {"height": 12, "width": 20},
        "projects": {
            "p1": {"labels": [{"annotations": {"objects": [{"name": "dog", "bounding_box": {"top": 2, "left": 1, "height": 6, "width": 5}}]}}]}
        },
    }
).encode()

YOLO = [("a.jpg", "1 0.5 0.5 0.25 1.0\n0 0.1 0.25 0.5 0.25 0.5 0.75\n"), ("b.jpg", "")]
YOLO_NAMES = ["cat", "dog"]
YOLO_SIZES = {"a.jpg": (12, 20)}

# One thing of every kind, to be written in every format.
EVERYTHING = Annotations(
    "coco",
    (
        Picture(
            "folder/a.jpg",
            (12, 20),
            (
                Thing(18, Box((1.0, 2.0, 3.0, 4.0), "xywh"), id=1, area=12.0),
                Thing(18, Box((2.0, 2.0, 7.0, 6.0), "xywh"), polygons=(SQUARE,), shape="polygon", id=2, area=42.0, difficult=True),
                Thing(90, Box((1.5, 1.25, 10.5, 9.25), "xywh"), (SQUARE, TRIANGLE), shape="polygon", id=3, area=50.0, truncated=True),
                Thing(90, Box((2.0, 6.0, 2.0, 4.0), "xywh"), mask=RLE, shape="mask", id=4, area=8.0, crowd=True),
                Thing(18, Box((0.0, 0.0, 9.0, 9.0), "xywh"), keypoints=(2.0, 3.0, 2.0, 4.0, 5.0, 1.0), shape="box", id=5, area=81.0),
            ),
            3,
            {"license": 4, "date": "today"},
        ),
        Picture("b.jpg", (30, 40), (), 4),
    ),
    (
        Category(18, "dog", "animal", ("nose", "tail"), ((1, 2),)),
        Category(90, "tooth brush"),
        Category(91, "hair drier"),
    ),
)
