"""How often `audit` names the cause: faults planted in settled statements, one in each, by a seed that it never sees.

    python benchmarks/audit.py [FAULTS] [SEED]

Every fault is one of nine kinds, put into a gallery contract's statement or a published row of Medicare's results. What
counts is that the words of the cause name the same clause's term, the same fact, or the same slip.
"""

import random
import sys
import time
from collections import Counter
from dataclasses import replace
from functools import partial

from carecontracts import Contract, gallery
from carecontracts.chance.plausible import expected_years
from carecontracts.gallery import gallery_names
from carecontracts.programs import mssp
from carecontracts.refusal import Refusal
from carecontracts.review.audit import _numbers, _options, _put, audit
from carecontracts.review.statement_of import Theirs
from carecontracts.year import Year


def settled(contract: Contract, years: list[Year]) -> list[Theirs]:
    return [Theirs(line.year, line.clause, line.amount, "") for line in contract.settle(years)]


Planted = tuple[list[Theirs], str] | None  # a statement with a fault, and what must be in the words of its cause


def a_term(contract: Contract, years: list[Year], rng: random.Random) -> Planted:
    clause = rng.choice(contract.clauses)
    terms = [(t, p, n) for t, u in clause.terms().items() if u for p, n in _numbers(getattr(clause, t)) if n]
    if not terms:
        return None
    term, path, number = rng.choice(terms)
    x = float(f"{number * rng.choice([0.5, 0.8, 0.9, 1.1, 1.25, 2]):.2g}")
    changed = contract.amend({clause.name: {term: _put(getattr(clause, term), path, x)}})
    return settled(changed, years), term.replace("_", " ")


def an_option(contract: Contract, years: list[Year], rng: random.Random) -> Planted:
    clause = rng.choice(contract.clauses)
    kinds = type(clause).model_fields
    found = [(t, o) for t in clause.terms() for o in _options(kinds[t].annotation) if o != getattr(clause, t)]
    if not found:
        return None
    term, option = rng.choice(found)
    return settled(contract.amend({clause.name: {term: option}}), years), term.replace("_", " ")


def a_reference(contract: Contract, years: list[Year], rng: random.Random) -> Planted:
    clause = rng.choice(contract.clauses)
    lists = {term: value for term in clause.looks_back if isinstance(value := getattr(clause, term), list) and value}
    if not lists:
        return None
    term, names = rng.choice(list(lists.items()))
    return settled(contract.amend({clause.name: {term: names[1:]}}), years), f"“{names[0]}”"


def an_order(contract: Contract, years: list[Year], rng: random.Random) -> Planted:
    data = contract.model_dump(exclude_unset=True)
    if len(data["clauses"]) < 2:
        return None
    at = rng.randrange(len(data["clauses"]) - 1)
    swapped = [*data["clauses"]]
    swapped[at], swapped[at + 1] = swapped[at + 1], swapped[at]
    return settled(Contract.model_validate(data | {"clauses": swapped}), years), " before "


def a_line(contract: Contract, years: list[Year], rng: random.Random, change: str) -> Planted:
    ours = settled(contract, years)
    paid = [n for n, line in enumerate(ours) if line.amount > 100]
    if not paid:
        return None
    n = rng.choice(paid)
    before, line, after = ours[:n], ours[n], ours[n + 1 :]
    if change == "left out":
        return [*before, *after], "no line"
    if change == "twice":
        return [*before, line._replace(amount=2 * line.amount), *after], "twice"
    text = f"{line.amount:.2f}"
    at = rng.randrange(len(text) - 4)
    changed = float(text[:at] + text[at + 1] + text[at] + text[at + 2 :])
    return [*before, line._replace(amount=changed), *after], "two digits"


def a_fact(contract: Contract, years: list[Year], rng: random.Random, of_last_year: bool) -> Planted:
    if len(years) <= of_last_year:
        return None
    at = rng.randrange(int(of_last_year), len(years))
    facts = [
        (name, x) for name, x in years[at].facts().items() if isinstance(x, (int, float)) and x and name != "lives"
    ]
    if not facts:
        return None
    name, number = rng.choice(facts)
    group, _, part = name.partition(".")
    now = years[at - 1].fact(name) if of_last_year else float(f"{number * rng.uniform(0.8, 1.2):.{rng.randint(2, 5)}g}")
    if now is None or now == number:
        return None
    held = {**getattr(years[at], group), part: now} if part else now
    changed = [*years[:at], replace(years[at], **{group: held}), *years[at + 1 :]]
    return settled(contract, changed), part or group.replace("_", " ")


PLANT = {
    "term": a_term,
    "option": an_option,
    "reference": a_reference,
    "order": an_order,
    "left out": partial(a_line, change="left out"),
    "twice": partial(a_line, change="twice"),
    "digits": partial(a_line, change="digits"),
    "fact": partial(a_fact, of_last_year=False),
    "last year's fact": partial(a_fact, of_last_year=True),
}


def contracts(rng: random.Random):
    """Contracts and years: the gallery's with plausible years that differ, and Medicare's published rows."""
    names = [name for name in gallery_names() if not name.startswith("mssp/")]
    rows = mssp.read(mssp.published_rows(), None)
    while True:
        if rng.random() < 0.3:
            aco = rng.choice(rows)
            yield mssp.contract_for(aco), [mssp.year_for(aco)]
            continue
        contract = Contract.load(gallery(rng.choice(names)))
        contract = contract.amend(first_year_months=12)  # luck is reckoned in years of twelve
        years = expected_years(contract, lives=rng.randint(200, 5_000), cost=rng.randint(9_000, 60_000))
        moved = []
        for year in years:
            facts = {}
            for name, number in year.facts().items():
                group, _, part = name.partition(".")
                if isinstance(number, (int, float)) and group not in ("conditions", "lives", "claims"):
                    x = number * rng.uniform(0.93, 1.04)
                    x = round(x, 3) if number <= 1 else float(round(x))
                    facts.setdefault(group, {} if part else None)
                    if part:
                        facts[group] = {**getattr(year, group), **facts[group], part: x}
                    else:
                        facts[group] = x
            try:
                moved.append(replace(year, **facts))
            except Refusal:
                moved.append(year)
        yield contract, moved


def main(faults: int = 500, seed: int = 20261128) -> None:
    rng = random.Random(seed)
    source = contracts(rng)
    results: dict[str, Counter[str]] = {kind: Counter() for kind in PLANT}
    began, done = time.perf_counter(), 0
    while done < faults:
        kind = list(PLANT)[done % len(PLANT)]
        contract, years = next(source)
        try:
            planted = PLANT[kind](contract, years, rng)
        except (Refusal, ValueError):  # a fault that no contract could have
            continue
        found = audit(contract, years, planted[0]) if planted else None
        if planted is None or found is None or found.agrees:  # a fault that moves no line is none
            continue
        done += 1
        place = next((n for n, cause in enumerate(found.causes) if planted[1] in cause.words), None)
        results[kind]["not named" if place is None else "first" if not place else "among five"] += 1
        if "-v" in sys.argv and place != 0:
            print(kind, "|", planted[1], "|", contract.title[:40], "|", [each.words for each in found.causes[:3]])
    for kind, counts in results.items():
        print(f"{kind:18}", dict(counts))
    whole = sum(results.values(), Counter())
    print(f"{'all':18}", dict(whole), f"{(time.perf_counter() - began) / faults:.2f} s each")


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:] if word.isdigit()))
