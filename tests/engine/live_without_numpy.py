"""Run apart by test_live.py: the answers of `live`, where nothing can be imported that a page does not have."""

import sys

BLOCKED = ("numpy", "pandas", "ibis", "scipy", "matplotlib", "tqdm", "typer", "openpyxl")


class _Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"{name} is not to be had here")


if __name__ == "__main__":  # and not where the tests are looked for, whose libraries would go with it
    sys.meta_path.insert(0, _Blocker())

    from carecontracts.live import answer

    for line in sys.stdin:
        print(answer(line), flush=True)
    assert not [name for name in sys.modules if name.partition(".")[0] in BLOCKED]
