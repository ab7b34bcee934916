from PIL import Image

from visioncircuits.examples import folder


def test_subfolders_can_be_classes(tmp_path):
    for name in ("cat/1.png", "dog/1.png", "dog/2.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (40, 40)).save(tmp_path / name)
    assert [photo.label for photo in folder(tmp_path, size=32, labels="folders")] == [0, 1, 1]
