"""The contracts of the gallery stand beside src/ and go into an installed package as carecontracts/gallery."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class WithGallery(build_py):
    def run(self) -> None:
        super().run()
        if not self.editable_mode:  # from a checkout the contracts are read where they stand
            inside = Path(self.build_lib, "carecontracts", "gallery")
            shutil.copytree("contracts", inside, ignore=shutil.ignore_patterns("*.md"), dirs_exist_ok=True)


setup(cmdclass={"build_py": WithGallery})
