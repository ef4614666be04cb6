"""What the rules find, where a short definition says more than a golden file."""

from __future__ import annotations

import pytest

from maestri import patterns
from maestri.lang.definitions import Library
from maestri.patterns._registry import spec

PATTERNS = {found.keyword: found for found in (spec(getattr(patterns, name)) for name in patterns.__all__)}


def found(text: str, agents: tuple[str, ...] = ()) -> list[str]:
    """Return code and message of each finding."""
    library = Library(PATTERNS, agents, {"f.yaml": text})
    definition, findings = library.open("f.yaml", "f.yaml")
    if definition is not None:
        findings = library.check(definition)
    return [f"{one.code} {one.message}" for one in findings]


def codes(text: str) -> list[str]:
    return [one.partition(" ")[0] for one in found(text)]


@pytest.mark.parametrize(
    "steps",
    [
        "{x: {run: make}, o: {steps: {y: {run: [echo, '${x}']}}}}",
        "{x: {run: make}, o: {steps: {y: {run: [echo, '${x}']}, x: {run: make}}}}",
        "{o: {graph: {steps: {a: {needs: b, run: [e, '${c}']}, b: {needs: c, run: m}, c: {run: m}}}}}",
        "{o: {loop: {until: '${x == last}', steps: {x: {run: make}}}}}",
        "{o: {each: {items: [1], steps: {x: {run: [e, '${item}']}}, reduce: {run: [e, '${results}']}}}}",
        "{o: {each: {items: [1], as: n, steps: {x: {loop: {no_progress: 2, steps: {y: {run: ['${n}']}}}}}}}}",
        "{o: {parallel: {branches: {a: {run: m}}, on_result: {call: 'a:b', args: ['${result.name}']}}}}",
        "{o: {steps: {x: {run: make}}, output: {y: '${x}'}}, p: {run: [echo, '${o.y}']}}",
        "{a: {rum: make}, b: {run: [echo, '${a}']}}",
    ],
)
def test_names_that_are_seen(steps: str) -> None:
    assert [one for one in codes(f"steps: {steps}") if one != "L204"] == []


@pytest.mark.parametrize(
    ("steps", "code"),
    [
        ("{o: {steps: {x: {run: make}}}, p: {run: [echo, '${x}']}}", "L210"),
        ("{o: {each: {items: ['${item}'], steps: {x: {run: m}}}}}", "L210"),
        ("{o: {each: {items: [1], as: n, steps: {x: {run: [echo, '${item}']}}}}}", "L210"),
        ("{o: {each: {items: [1], steps: {x: {run: m}}, reduce: {run: [echo, '${item}']}}}}", "L210"),
        ("{o: {loop: {while: '${x == 1}', steps: {x: {run: m}}}}}", "L210"),
        ("{x: {run: m}, o: {graph: {steps: {x: {run: m}, y: {run: [echo, '${x}']}}}}}", "L211"),
        ("{o: {parallel: {branches: {a: {run: m}, b: {run: [echo, '${default(a, 1)}']}}}}}", "L211"),
    ],
)
def test_names_that_are_not_seen(steps: str, code: str) -> None:
    assert codes(f"steps: {steps}") == [code]


@pytest.mark.parametrize(
    ("step", "use", "problems"),
    [
        ("{run: m}", "${len(a) > 0 and a == 'x'}", 0),
        ("{run: m, output: lines}", "${a[0] == 'x'}", 0),
        ("{run: m, output: lines}", "${a[0] > 1}", 1),
        ("{run: m, output: json}", "${a.b.c > 1}", 0),
        ("{run: m, output: result}", "${a.exit_code > 1}", 0),
        ("{run: m, output: result}", "${a.exit_code == 'x'}", 1),
        ("{run: m, when: '${true}'}", "${a.b == 1}", 0),
        ("{ask: Go?}", "${a > 1}", 1),
        ("{wait: {signal: go}}", "${a.b > 1}", 0),
        ("{parallel: {branches: {x: {run: m}}}}", "${a.x == 'a'}", 0),
        ("{parallel: {branches: {x: {run: m}}}}", "${a.y == 'a'}", 1),
        ("{parallel: {join: settled, branches: {x: {run: m}}}}", "${a.x.y == 'a'}", 0),
        ("{graph: {steps: {x: {run: m}}}}", "${a.x > 1}", 1),
        ("{each: {items: [1], join: all, steps: {x: {run: m}}}}", "${a[0] > 1}", 1),
        ("{each: {items: [1], steps: {x: {run: m}}}}", "${a[0] > 1}", 0),
        ("{each: {items: [1], steps: {x: {run: m}}}}", "${a.x == 1}", 1),
        ("{loop: {max_rounds: 2, steps: {x: {run: m}}}}", "${a > 1}", 1),
        ("{loop: {while: '${round < 2}', steps: {x: {run: m}}}}", "${a > 1}", 0),
        ("{branch: {x: {when: '${1 < inputs.n}', run: m}, y: {run: m}}}", "${a > 1}", 1),
        ("{branch: {x: {when: '${1 < inputs.n}', run: m}}}", "${a > 1}", 0),
        ("{workflow: w}", "${a.said > 1}", 1),
        ("{workflow: w}", "${a.sad == 'x'}", 1),
    ],
)
def test_what_is_known_of_outputs(step: str, use: str, problems: int) -> None:
    text = f'inputs: {{n: number}}\nsteps:\n  a: {step}\n  b: {{run: m, when: "{use}"}}\n'
    text += "workflows: {w: {steps: {x: {run: m}}, output: {said: '${x}'}}}\n"
    assert codes(text) == ["L218"] * problems


def test_agents_are_compared_with_those_that_are_known() -> None:
    text = "steps: {a: {agent: bulder, prompt: x}}"
    assert found(text, ("builder",)) == ["L228 there is no agent `bulder`"]
    assert found(text) == []


@pytest.mark.parametrize(
    ("call", "is_endless"),
    [
        ("{workflow: w}", True),
        ("{parallel: {branches: {x: {workflow: w}}}}", True),
        ("{loop: {max_rounds: 2, steps: {x: {workflow: w}}}}", True),
        ("{workflow: w, when: '${s == 1}'}", False),
        ("{branch: {x: {when: '${s == 1}', workflow: w}}}", False),
        ("{each: {items: '${s}', steps: {x: {workflow: w}}}}", False),
        ("{loop: {while: '${s == 1}', steps: {x: {workflow: w}}}}", False),
    ],
)
def test_a_circle_of_calls_needs_something_that_can_end_it(call: str, is_endless: bool) -> None:
    text = f"steps: {{a: {{workflow: w}}}}\nworkflows: {{w: {{steps: {{s: {{call: 'a:b'}}, x: {call}}}}}}}"
    assert codes(text) == ["L226"] * is_endless


def test_a_finding_in_what_an_alias_repeats_is_told_once() -> None:
    assert codes("steps: {a: &a {run: [echo, '${x}']}, b: *a, c: *a}") == ["L210"]


def test_all_findings_come_at_once_in_the_order_of_their_places() -> None:
    text = "steps:\n  b: {run: [echo, '${x}'], colour: red}\n  a: {workflow: gone, when: '${b}'}\n"
    assert codes(text) == ["L210", "L201", "L224", "L217"]
