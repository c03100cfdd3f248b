"""The last good declarations are kept whole and used only when those in the folder are wrong (F19)."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from config.declarations import DeclarationError
from config.loading import load
from config.settings import SHIPPED, Settings
from dashboard.lastgood import standing

GOOD = f'extends = "{SHIPPED}"  # ours\nname = "Kabupaten Uji"\n'


def house(folder: Path, text: str = GOOD) -> Settings:
    config = folder / "config"
    (config / "secrets").mkdir(parents=True, exist_ok=True)
    (config / "regency.toml").write_text(text, encoding="utf-8")
    (config / "secrets" / "token").write_text("rahasia", encoding="utf-8")
    return Settings(config=config, data=folder / "var")


def test_a_wrong_file_is_answered_by_what_was_right_before_until_it_is_right_again(tmp_path: Path) -> None:
    settings = house(tmp_path)
    right = standing(settings)
    assert right == load(settings.config)
    house(tmp_path, "name = [")
    assert standing(settings) == right
    assert (tmp_path / "var" / "declared" / "refused.json").exists()
    house(tmp_path, GOOD.replace("Uji", "Baru"))
    assert standing(settings).name == "Kabupaten Baru"
    assert not (tmp_path / "var" / "declared" / "refused.json").exists()
    house(tmp_path, "= = =")
    assert standing(settings).name == "Kabupaten Baru"


def test_without_earlier_ones_a_wrong_file_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(DeclarationError, match=r"regency\.toml"):
        standing(house(tmp_path, "name = ["))


def test_no_secret_and_no_folder_of_others_is_copied(tmp_path: Path) -> None:
    standing(house(tmp_path))
    kept = tmp_path / "var" / "declared"
    names = {str(path.relative_to(kept)) for path in kept.rglob("*") if path.is_file()}
    assert "0/regency.toml" in names
    assert "1/agencies/disdukcapil.toml" in names
    assert not [name for name in names if "secret" in name or "demo/" in name or "examples/" in name]
    assert stat.S_IMODE(kept.stat().st_mode) == 0o700


def test_a_disk_that_takes_nothing_stops_no_start(tmp_path: Path) -> None:
    settings = house(tmp_path)
    (tmp_path / "var").write_text("in the way")
    assert standing(settings).name == "Kabupaten Uji"
