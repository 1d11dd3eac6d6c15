"""Small data sets in the exact layouts in which the real ones are handed out."""

import h5py
import numpy as np
from PIL import Image

ATTRIBUTES = "5_o_Clock_Shadow Arched_Eyebrows Male Smiling Young"  # five of CelebA's forty


def noise(seed, width=80, height=100):
    """A picture like no other."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def put(path, seed, **size):
    """Write such a picture, lossless if it is a PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise(seed, **size).save(path)
    return path


def fairface(root, *, part="val", count=4):
    """FairFace: labels beside the folder of a part."""
    people = [("50-59", "Male", "East Asian"), ("more than 70", "Female", "Black")]
    lines = ["file,age,gender,race,service_test"]
    for number in range(1, count + 1):
        put(root / part / f"{number}.jpg", number)
        age, gender, race = people[number % 2]
        lines.append(f"{part}/{number}.jpg,{age},{gender},{race},{number % 2 == 0}")
    (root / f"fairface_label_{part}.csv").write_text("\n".join(lines) + "\n")
    return root


UTK = ("26_1_1_20170116184024662.jpg", "1_0_2_20161219140530307.jpg.chip.jpg")
UTK_WITHOUT_RACE = "61_1_20170109142408075.jpg.chip.jpg"  # one of the three that are published


def utkface(root, *, names=UTK):
    """UTKFace: labels in the names."""
    for number, name in enumerate(names):
        put(root / name, number)
    return root


def table(root, *, header="path,label,country", rows=("a.png,1,Chile", "deep/b.png,0,")):
    """A CSV beside its pictures."""
    for number, name in enumerate(("a.png", "deep/b.png")):
        put(root / name, number)
    (root / "mine.csv").write_text("\n".join((header, *rows)) + "\n")
    return root / "mine.csv"


def celeba(root, *, boxes=None, parts=(0, 0, 0, 1, 2, 0)):
    """CelebA as torchvision has it, with the pictures as found beside the aligned ones."""
    place = root / "celeba"
    names = [f"{number:06}.jpg" for number in range(1, len(parts) + 1)]
    boxes = boxes or [(95, 71, 60, 80), (10, 5, 0, 0), *[(0, 0, 40, 30)] * (len(parts) - 2)]
    for number, name in enumerate(names):
        put(place / "img_align_celeba" / name, number, width=178, height=218)
        put(place / "img_celeba" / name, number, width=200, height=170)
    lists = {
        "list_eval_partition.txt": [f"{n} {p}" for n, p in zip(names, parts, strict=True)],
        "identity_CelebA.txt": [f"{n} {i}" for i, n in enumerate(names)],
        "list_bbox_celeba.txt": [
            str(len(names)),
            "image_id x_1 y_1 width height",
            *(f"{n}    {x}  {y} {w} {h}" for n, (x, y, w, h) in zip(names, boxes, strict=True)),
        ],
        "list_attr_celeba.txt": [
            str(len(names)),
            f"{ATTRIBUTES} ",
            *(f"{n} -1  1 {'-1' if i % 2 else ' 1'} -1  1" for i, n in enumerate(names)),
        ],
    }
    for name, lines in lists.items():
        (place / name).write_text("\n".join(lines) + "\n")
    return root


def kaggle_celeba(root, *, parts=(0, 0, 0, 1, 2, 0)):
    """CelebA as Kaggle has it: lists by commas, and the pictures one folder deeper."""
    names = [f"{number:06}.jpg" for number in range(1, len(parts) + 1)]
    for number, name in enumerate(names):
        place = root / "img_align_celeba" / "img_align_celeba"
        put(place / name, number, width=178, height=218)
    genders = ["-1" if number % 2 else "1" for number in range(len(parts))]
    lists = {
        "list_eval_partition.csv": [f"{n},{p}" for n, p in zip(names, parts, strict=True)],
        "list_attr_celeba.csv": [f"{n},-1,1,{g},-1,1" for n, g in zip(names, genders, strict=True)],
        "list_bbox_celeba.csv": [f"{n},95,71,226,313" for n in names],
    }
    headers = {
        "list_eval_partition.csv": "image_id,partition",
        "list_attr_celeba.csv": f"image_id,{ATTRIBUTES.replace(' ', ',')}",
        "list_bbox_celeba.csv": "image_id,x_1,y_1,width,height",
    }
    for name, lines in lists.items():
        (root / name).write_text("\n".join((headers[name], *lines)) + "\n")
    return root


def imagenet(root, *, classes=("n01440764", "n09835506", "n02102040"), each=2):
    """Class folders, the second of people."""
    for kind in classes:
        for number in range(each):
            name = f"{kind}/{kind}_{number}.JPEG"
            put(root / name, hash_of(name), width=90, height=70)
    return root


def hash_of(name):
    """A number of the name's own."""
    return sum(name.encode())


RED_ISH = (200, 100, 50)


def write_h5(path, *, images=None, labels=None, **more):
    """MIT's layout: BGR pixels, labels (N, 1)."""
    images = np.full((6, 64, 64, 3), RED_ISH[::-1], np.uint8) if images is None else images
    labels = np.array([[1], [0]] * 3, np.uint8) if labels is None else labels
    with h5py.File(path, "w") as file:
        for name, content in {"images": images, "labels": labels, **more}.items():
            if content is not False:
                file.create_dataset(name, data=content)
    return path


HEADER = "id,filename,gender,numeric,bi.fitz,country"
ROWS = ["1,a.png,Female,1,lighter,Finland", "2,b.png,Male,6,darker,Senegal"]


def write_ppb(path, *, lines=(HEADER, *ROWS), end="\n", pictures=("a.png", "b.png")):
    """PPB's layout: a folder of pictures beside the metadata."""
    (path / "imgs").mkdir(parents=True)
    for level, name in enumerate(pictures, 1):  # the same pixels in different files
        Image.new("RGB", (80, 100), RED_ISH).save(path / "imgs" / name, compress_level=level)
    (path / "PPB-2017-metadata.csv").write_bytes(end.join(lines).encode())
    return path
