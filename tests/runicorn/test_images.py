"""rn.log_image: what it takes, and what it stores."""

from __future__ import annotations

import io
import re
import subprocess
import sys

import pytest

from runicorn.media import encode_image
from tests.training_scripts import events, only_run, run_script

PNG = b"\x89PNG\r\n\x1a\n" + b"rest of it"


def stored(run):
    return [event["data"] for event in events(run.run_dir, type="image")]


def test_bytes_are_stored_as_they_are_with_an_event(run):
    path = run.log_image("val/grid 中", PNG, step=3, caption="Größe")

    assert re.fullmatch(r"media/\d{13}_[0-9a-f]{6}_val_grid__\.png", path)
    assert (run.run_dir / path).read_bytes() == PNG
    assert stored(run) == [{"key": "val/grid 中", "path": path, "step": 3, "caption": "Größe"}]


def test_no_step_is_recorded_as_none_and_the_step_counter_stays(run):
    run.log_image("x", PNG)
    run.log(x=1)

    assert stored(run)[0]["step"] is None
    assert events(run.run_dir, type="metrics")[0]["data"]["global_step"] == 1


@pytest.mark.parametrize("key", ["../../../evil", "..\\evil", "a" * 500, "", "\x00", "CON:"])
def test_no_key_leads_out_of_the_media_folder(run, key):
    path = run.log_image(key, PNG)

    assert (run.run_dir / path).resolve().parent == run.media_dir.resolve()
    assert len(path) < 200


@pytest.mark.parametrize(
    ("head", "extension"),
    [(b"\xff\xd8\xff\xe0", "jpg"), (b"GIF89a", "gif"), (b"RIFF1234WEBP", "webp"), (PNG, "png"), (b"?", "bmp")],
)
def test_the_extension_of_bytes_is_what_they_are_else_what_was_said(run, head, extension):
    assert run.log_image("x", head, format="bmp").endswith(f".{extension}")


def test_a_file_is_copied(run, tmp_path):
    (tmp_path / "plot.svg").write_text("<svg/>")

    path = run.log_image("plot", tmp_path / "plot.svg")

    assert path.endswith("_plot.svg")
    assert (run.run_dir / path).read_text() == "<svg/>"


def test_a_missing_file_is_the_caller_s_mistake(run, tmp_path):
    with pytest.raises(FileNotFoundError):
        run.log_image("x", str(tmp_path / "missing.png"))


@pytest.mark.parametrize("nonsense", [object(), 5, None, [["a"]], [], {}])
def test_something_that_is_no_image_is_reported_and_raises_nothing(forgiving, run, nonsense, caplog):
    pytest.importorskip("PIL")
    pytest.importorskip("numpy")

    assert run.log_image("x", nonsense) == ""
    assert "'x' cannot be stored" in caplog.text
    assert stored(run) == []


def test_a_format_that_is_no_extension_is_reported(forgiving, run, caplog):
    assert run.log_image("x", PNG, format="../png") == ""
    assert "../png" in caplog.text


def test_a_disk_that_is_full_leaves_no_half_image(forgiving, run, monkeypatch, caplog):
    def fails(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("runicorn.media.os.replace", fails)

    assert run.log_image("x", PNG) == ""
    assert list(run.media_dir.iterdir()) == []
    assert "No space" in caplog.text


def test_arrays_and_pil_images_need_pillow_and_the_error_says_how_to_get_it(root):
    code = """
    import sys
    sys.modules["PIL"] = None
    rn.init(capture_env=False, console=False)
    rn.log_image("bytes", b"\\x89PNG\\r\\n\\x1a\\n")
    try:
        rn.log_image("array", [[0, 1]])
    except RuntimeError as error:
        print(error)
    """

    done = run_script(code, root=root)

    assert "pip install pillow" in done.stdout
    assert len(events(only_run(root), type="image")) == 1


class TestPixels:
    """Arrays, as the pixels of the file they become."""

    @pytest.fixture(autouse=True)
    def _needs(self):
        pytest.importorskip("numpy")
        pytest.importorskip("PIL")

    def pixels(self, image, **options):
        import numpy as np
        from PIL import Image

        content, _ = encode_image(image, **{"format": "png", "quality": 90, **options})
        return np.asarray(Image.open(io.BytesIO(content)))

    @pytest.mark.parametrize(
        ("shape", "expected"),
        [
            ((4, 5), (4, 5)),
            ((4, 5, 1), (4, 5)),
            ((4, 5, 3), (4, 5, 3)),
            ((4, 5, 4), (4, 5, 4)),
            ((1, 4, 5), (4, 5)),
            ((3, 4, 5), (4, 5, 3)),
            ((4, 8, 5), (8, 5, 4)),
            ((3, 5, 3), (3, 5, 3)),
        ],
    )
    def test_the_shapes_of_images(self, shape, expected):
        import numpy as np

        assert self.pixels(np.zeros(shape, np.uint8)).shape == expected

    def test_channels_first_keeps_each_pixel(self):
        import numpy as np

        image = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)

        assert (self.pixels(image) == np.moveaxis(image, 0, 2)).all()

    @pytest.mark.parametrize(
        ("values", "expected"),
        [
            ([[0.0, 0.5, 1.0]], [[0, 128, 255]]),
            ([[0.0, 128.0, 255.0]], [[0, 128, 255]]),
            ([[-1.0, 300.0, 7.6]], [[0, 255, 8]]),
            ([[float("nan"), float("inf"), 0.2]], [[0, 255, 51]]),
            ([[True, False]], [[255, 0]]),
            ([[-5, 400, 3]], [[0, 255, 3]]),
        ],
    )
    def test_values_become_bytes(self, values, expected):
        import numpy as np

        assert self.pixels(np.array(values)).tolist() == expected

    def test_a_tensor_is_taken_off_its_graph_and_device(self):
        import numpy as np

        class Tensor:
            def detach(self):
                return self

            def cpu(self):
                return np.ones((1, 2, 2), np.float32)

        assert self.pixels(Tensor()).tolist() == [[255, 255], [255, 255]]

    @pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "CMYK", "F", "1", "LA", "I;16"])
    @pytest.mark.parametrize("format", ["png", "jpg", "webp", "bmp"])
    def test_pil_images_of_every_mode_are_stored_in_every_format(self, mode, format):
        from PIL import Image

        assert self.pixels(Image.new(mode, (6, 4)), format=format).shape[:2] == (4, 6)

    def test_quality_matters_for_lossy_formats(self):
        import numpy as np

        noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
        small, _ = encode_image(noise, format="jpg", quality=10)
        large, _ = encode_image(noise, format="jpg", quality=95)

        assert len(small) < len(large) / 2


def test_images_are_not_loaded_before_one_is_logged():
    code = "import runicorn, sys; runicorn.init(capture_env=False, console=False).log(x=1); print('PIL' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"
