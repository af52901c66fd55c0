"""The plan of the house: which room may import which, and the rules every module keeps, checked on source text.

A room is a package or a module directly under ``kalshi_pipeline``. Sources are parsed, never imported, so an import
inside a function or under ``TYPE_CHECKING`` counts like any other. What a rule means is in ``test_architecture``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

PACKAGE = "kalshi_pipeline"

#: Room -> rooms it may import. What those may import in turn is open to it as well.
MAY_IMPORT: Mapping[str, frozenset[str]] = {
    room: frozenset(rooms)
    for room, rooms in {
        "": (),  # the package itself: its version, nothing else
        "settings": (),
        "logs": (),
        "watching": (),
        "schemas": (),
        "ladders": (),
        "sandbox": (),
        "exchange": ("settings",),
        "landing": ("exchange", "watching"),
        "warehouse": ("settings", "schemas"),
        "distributions": ("ladders",),
        "research": ("distributions",),
        "trading": ("exchange",),
        "verification": (),
        "report": ("research",),
        "read": ("settings", "warehouse", "report"),
        "defs": ("landing", "warehouse", "report", "trading", "reporting", "runs", "proving", "verifying"),
        "build": ("defs",),
        "definitions": ("build",),
        "runs": ("settings",),
        "account": ("warehouse", "research"),
        "proving": ("warehouse", "research"),
        "verifying": ("warehouse", "verification"),
        "reporting": ("account", "proving", "report"),
        "demo": ("account", "build", "runs", "reporting"),
        "dictionary": ("schemas",),
        "cli": ("demo", "read", "dictionary"),
    }.items()
}

#: The core computes on arrays and Arrow tables: none of these in it.
CORE = frozenset({"ladders", "distributions", "research"})
ENGINES = frozenset(
    {"dagster", "dagster_dbt", "dagster_duckdb", "dbt", "duckdb", "httpx", "requests", "starlette", "urllib", "uvicorn"}
)

#: Besides tests, who may import the sandbox: the command line, and the resource that starts it for a run.
STARTS_THE_SANDBOX = frozenset({"cli.sandbox", "defs.resources"})

#: Posts to the address a user set for alerts; it imports neither the client nor a key.
POSTS_ALERTS = "defs.alerts"

#: The one module that sends orders, the one that uses it, and the paths of the exchange that take them.
SENDS_ORDERS, USES_THE_SENDER = "trading.orders.sending", "trading.orders.executor"
ORDER_PATHS = ("/portfolio/events/orders", "/portfolio/orders")

#: What an HTTP client can send besides GET, by the names of its methods, and what sends anything at all.
_SENDS_MORE_THAN_GET = frozenset({"post", "put", "patch", "delete", "request", "send", "stream", "build_request"})
_HTTP = frozenset({"httpx", "requests", "urllib", "aiohttp", "http"})

#: Modules that hand the environment on to dbt, a child process; neither takes a setting from it.
HANDS_ON_ENVIRONMENT = frozenset({"cli.ui", "defs.dbt_project", "defs.resources"})


@dataclass(frozen=True)
class Module:
    """A module of the package as source.

    Attributes:
        name: dotted name below the package (``ladders.build``); empty for the package itself.
        is_package: whether it is an ``__init__``.
        source: its text.
    """

    name: str
    source: str
    is_package: bool = False

    @property
    def room(self) -> str:
        """The room it stands in."""
        return self.name.partition(".")[0]

    @cached_property
    def tree(self) -> ast.Module:
        """Its parsed source."""
        return ast.parse(self.source)


def modules_under(folder: Path) -> list[Module]:
    """Every module of the package in ``folder``."""
    found = []
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        found.append(Module(".".join(parts[:-1] if is_package else parts), path.read_text("utf-8"), is_package))
    return found


def imported_names(module: Module) -> Iterator[str]:
    """Absolute dotted names that a module imports, ``from a import b`` as ``a.b``."""
    above = [PACKAGE, *module.name.split(".")] if module.name else [PACKAGE]
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = above[: len(above) - node.level + module.is_package] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def our_imports(module: Module) -> Iterator[str]:
    """Names below the package that a module imports."""
    for name in imported_names(module):
        if name == PACKAGE or name.startswith(f"{PACKAGE}."):
            yield name[len(PACKAGE) + 1 :]


def open_rooms(room: str) -> frozenset[str]:
    """The rooms that ``room`` may import, directly or through those."""
    direct = MAY_IMPORT[room]
    return direct.union(*(open_rooms(other) for other in direct))


def forbidden_imports(modules: list[Module]) -> list[str]:
    """Imports of rooms that the plan does not open to a module, and rooms that the plan does not know."""
    offences = [f"{module.name} is in no room of the plan" for module in modules if module.room not in MAY_IMPORT]
    for module in modules:
        if module.room not in MAY_IMPORT:
            continue
        allowed = {module.room, *open_rooms(module.room), *(("sandbox",) if module.name in STARTS_THE_SANDBOX else ())}
        for name in our_imports(module):
            room = name.partition(".")[0]
            if room in MAY_IMPORT.keys() - allowed - {""}:
                offences.append(f"{module.name} imports {name}, which is not open to it")
    return offences


def circles(modules: list[Module]) -> list[str]:
    """The first circle of imports among modules, if there is one."""
    known = {module.name for module in modules if module.name}
    graph: dict[str, set[str]] = {}
    for module in modules:
        targets = {name if name in known else name.rpartition(".")[0] for name in our_imports(module)}
        graph[module.name] = (targets & known) - {module.name}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return [" imports ".join(reversed(error.args[1]))]
    return []


def engines_in_the_core(modules: list[Module]) -> list[str]:
    """Imports of an orchestrator, a database or HTTP by the core."""
    return [
        f"{module.name} imports {name}: the core knows no Dagster, no DuckDB and no HTTP"
        for module in modules
        if module.room in CORE
        for name in imported_names(module)
        if name.partition(".")[0] in ENGINES
    ]


def environment_reads(modules: list[Module]) -> list[str]:
    """Uses of the environment besides handing it whole to ``Settings.from_env``, and settings read at import."""
    offences = []
    for module in modules:
        handed = {id(node.args[0]) for node in _calls(module.tree, "Settings.from_env") if node.args}
        if module.name not in HANDS_ON_ENVIRONMENT:
            offences += [
                f"{module.name}, line {node.lineno}: only settings read the environment"
                for node in ast.walk(module.tree)
                if _dotted(node) in {"os.environ", "os.getenv", "environ", "getenv"} and id(node) not in handed
            ]
        offences += [
            f"{module.name}, line {node.lineno}: settings are read at import"
            for statement in module.tree.body
            if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            for node in _calls(statement, "Settings.from_env")
        ]
    return offences


def bare_connections(modules: list[Module]) -> list[str]:
    """Database files opened outside the warehouse; the sandbox may use DuckDB in memory."""
    offences = []
    for module in modules:
        if module.room == "warehouse":
            continue
        for node in _calls(module.tree, "duckdb.connect", "connect"):
            in_memory = not (node.args or node.keywords) or (
                len(node.args) == 1 and isinstance(node.args[0], ast.Constant) and node.args[0].value == ":memory:"
            )
            if _dotted(node.func) == "connect" and "duckdb.connect" not in imported_names(module):
                continue
            if module.room != "sandbox" or not in_memory:
                offences.append(f"{module.name}, line {node.lineno}: only the warehouse opens a DuckDB file")
    return offences


def order_senders(modules: list[Module]) -> list[str]:
    """Ways to an order besides the executor: the sender imported elsewhere, HTTP that is more than GET, order paths.

    The sandbox is the exchange, so it has the paths; the reader of the account may name them to GET them, because its
    client can do nothing else.
    """
    offences = []
    for module in modules:
        if module.name == SENDS_ORDERS:
            continue
        imports = set(our_imports(module))
        if module.room != "trading" and any(name.startswith("trading.orders") for name in imports):
            offences.append(f"{module.name} imports the order executor: nothing in the pipeline may")
        elif imports & {SENDS_ORDERS, f"{SENDS_ORDERS}.OrderSender"} and module.name != USES_THE_SENDER:
            offences.append(f"{module.name} imports the sender of orders")
        if module.room == "sandbox":
            continue
        if module.name != POSTS_ALERTS and any(name.partition(".")[0] in _HTTP for name in imported_names(module)):
            offences += [
                f"{module.name}, line {node.lineno}: {node.func.attr}() can send more than GET"
                for node in ast.walk(module.tree)
                if isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr.lower() in _SENDS_MORE_THAN_GET
            ]
        offences += [
            f"{module.name}, line {node.lineno}: names the order path {node.value!r}"
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and node.value.startswith(ORDER_PATHS)
            and module.name != "trading.orders.account"
        ]
    return offences


def _calls(tree: ast.AST, *names: str) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call) and _dotted(node.func) in names)


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""
