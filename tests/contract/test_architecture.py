"""The house keeps its plan: rooms import only what is open to them, and what touches the outside stands at the rim.

Every rule is shown twice: it finds nothing in the package, and it finds a made-up offender.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from kalshi_pipeline.exchange.client import KalshiClient
from kalshi_pipeline.exchange.errors import KalshiError
from kalshi_pipeline.exchange.pacing import Pace
from tests.contract import house
from tests.contract.house import Module

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def package(repo_root: Path) -> list[Module]:
    return house.modules_under(repo_root / house.PACKAGE)


def test_the_package_is_found_whole(package: list[Module]) -> None:
    rooms = {module.room for module in package}
    assert rooms >= {
        "exchange",
        "sandbox",
        "landing",
        "warehouse",
        "ladders",
        "distributions",
        "research",
        "report",
        "defs",
    }


def test_rooms_import_only_what_the_plan_opens(package: list[Module]) -> None:
    assert house.forbidden_imports(package) == []


def test_imports_run_in_no_circle(package: list[Module]) -> None:
    assert house.circles(package) == []


def test_the_core_knows_no_engine(package: list[Module]) -> None:
    assert house.engines_in_the_core(package) == []


def test_the_environment_is_read_by_settings_only_and_never_at_import(package: list[Module]) -> None:
    assert house.environment_reads(package) == []


def test_only_the_warehouse_opens_a_database_file(package: list[Module]) -> None:
    assert house.bare_connections(package) == []


@pytest.mark.parametrize(
    ("name", "source"),
    [
        pytest.param("ladders.build", "from kalshi_pipeline.warehouse.resource import Warehouse", id="core to rim"),
        pytest.param("schemas.raw", "import kalshi_pipeline.settings", id="plain import"),
        pytest.param("research.folds", "from kalshi_pipeline import report", id="room as a name"),
        pytest.param("sandbox.world", "from ..exchange import records", id="relative"),
        pytest.param(
            "landing.store", "def f():\n    from kalshi_pipeline.warehouse import frames", id="inside a function"
        ),
        pytest.param("landing.collect", "from kalshi_pipeline.sandbox.server import SandboxServer", id="the sandbox"),
        pytest.param("defs.landing", "from kalshi_pipeline.sandbox.server import SandboxServer", id="a second starter"),
        pytest.param("helpers.misc", "x = 1", id="a room without a row"),
    ],
)
def test_an_import_that_is_not_open_is_named(name: str, source: str) -> None:
    (offence,) = house.forbidden_imports([Module(name, source)])
    assert offence.startswith(name)


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("landing.collect", "from kalshi_pipeline.exchange.client import KalshiClient"),
        ("landing.collect", "from kalshi_pipeline.settings import Settings"),
        ("research.releases", "from kalshi_pipeline.ladders.registry import Registry"),
        ("defs.resources", "from kalshi_pipeline.sandbox.server import SandboxServer"),
        ("ladders.build", "from .registry import Registry"),
        ("cli", "from kalshi_pipeline import __version__"),
    ],
)
def test_open_imports_pass(name: str, source: str) -> None:
    assert house.forbidden_imports([Module(name, source)]) == []


def test_a_circle_is_named() -> None:
    modules = [
        Module("ladders.a", "from kalshi_pipeline.ladders.b import f"),
        Module("ladders.b", "from kalshi_pipeline.ladders import c"),
        Module("ladders.c", "from .a import g"),
    ]
    (circle,) = house.circles(modules)
    assert {"ladders.a", "ladders.b", "ladders.c"} == set(circle.split(" imports "))


@pytest.mark.parametrize(
    "source", ["import duckdb", "from dagster import asset", "import httpx as h", "import urllib.request"]
)
def test_an_engine_in_the_core_is_named(source: str) -> None:
    assert len(house.engines_in_the_core([Module("distributions.repair", source)])) == 1
    assert house.engines_in_the_core([Module("warehouse.resource", source)]) == []


@pytest.mark.parametrize(
    "source",
    [
        'import os\nseed = os.environ["SEED"]',
        'import os\nseed = os.environ.get("SEED")',
        'import os\nseed = os.getenv("SEED")',
        "from os import environ\nseed = environ['SEED']",
        "import os\nsettings = Settings.from_env(os.environ)",
    ],
)
def test_an_environment_read_is_named(source: str) -> None:
    assert len(house.environment_reads([Module("landing.store", source)])) == 1


def test_an_entry_point_may_hand_the_environment_to_settings() -> None:
    source = "import os\ndef defs():\n    return build_defs(Settings.from_env(os.environ))"
    assert house.environment_reads([Module("definitions", source)]) == []


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("read", "import duckdb\ncon = duckdb.connect(path, read_only=True)"),
        ("defs.raw", "from duckdb import connect\ncon = connect(path)"),
        ("report.figures", "import duckdb\ncon = duckdb.connect()"),
        ("sandbox.world", "import duckdb\ncon = duckdb.connect('world.duckdb')"),
    ],
)
def test_a_bare_connection_is_named(name: str, source: str) -> None:
    assert len(house.bare_connections([Module(name, source)])) == 1


@pytest.mark.parametrize("call", ["duckdb.connect()", "duckdb.connect(':memory:')"])
def test_the_sandbox_may_use_duckdb_in_memory(call: str) -> None:
    assert house.bare_connections([Module("sandbox.world", f"import duckdb\ncon = {call}")]) == []


def test_no_path_leads_to_an_order_but_through_the_executor(package: list[Module]) -> None:
    assert house.order_senders(package) == []
    assert {house.SENDS_ORDERS, house.USES_THE_SENDER} <= {module.name for module in package}


@pytest.mark.parametrize(
    ("name", "source"),
    [
        pytest.param("defs.trading", "from kalshi_pipeline.trading.orders import executor", id="an asset"),
        pytest.param("cli.main", "from kalshi_pipeline.trading.orders import sending", id="a command"),
        pytest.param(
            "trading.backtest.fills",
            "from kalshi_pipeline.trading.orders.sending import OrderSender",
            id="a neighbour",
        ),
        pytest.param("trading.backtest.run", "from kalshi_pipeline.trading.orders import sending", id="by its module"),
        pytest.param("exchange.client", "import httpx\nclient.post('/x')", id="a post"),
        pytest.param("exchange.transport", "import httpx\nself._http.request('DELETE', url)", id="a method by name"),
        pytest.param("report.page", "from urllib import request\nopener.send(body)", id="another library"),
        pytest.param("exchange.client", "PATH = '/portfolio/events/orders'", id="a path"),
        pytest.param("trading.orders.account", "import httpx\nhttpx.delete('/x')", id="the reader of the account"),
    ],
)
def test_another_way_to_an_order_is_named(name: str, source: str) -> None:
    (offence,) = house.order_senders([Module(name, source)])
    assert offence.startswith(name)


def test_what_the_market_data_client_sends_is_get_whatever_it_is_asked() -> None:
    sent = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.method)
        return httpx.Response(200, json={key: {} for key in ("series", "event", "market", "orderbooks", "markets")})

    with KalshiClient("http://127.0.0.1", pace=Pace(10_000.0), http=httpx.MockTransport(answer)) as client:
        for name, method in inspect.getmembers(client, inspect.ismethod):
            if name.startswith("_") or name == "now":
                continue
            needed = [
                _SAMPLES[parameter.name]
                for parameter in inspect.signature(method).parameters.values()
                if parameter.default is inspect.Parameter.empty and parameter.kind is not parameter.KEYWORD_ONLY
            ]
            more = {"holds": "series"} if name in ("get", "pages") else {}
            with contextlib.suppress(KalshiError):
                asked = method(*needed, **more)
                if isinstance(asked, Iterator):
                    next(asked)
    assert len(sent) >= 15
    assert set(sent) == {"GET"}


#: An argument for every parameter of the client's methods.
_SAMPLES = {
    "path": "/portfolio/events/orders",
    "query": {},
    "series_ticker": "KXCPI",
    "event_ticker": "KXCPI-26JUN",
    "ticker": "KXCPI-26JUN-T0.3",
    "tickers": ["KXCPI-26JUN-T0.3"],
    "start_ts": 0,
    "end_ts": 60,
    "min_ts": 0,
    "max_ts": 60,
    "period_minutes": 1,
}


def test_what_posts_alerts_has_neither_client_nor_key(package: list[Module]) -> None:
    (alerts,) = [module for module in package if module.name == house.POSTS_ALERTS]
    assert set(house.our_imports(alerts)) <= {"settings.Settings"}
    assert house.order_senders([Module(house.POSTS_ALERTS, 'import httpx\nx = "/portfolio/orders"')])
    assert house.order_senders([Module("defs.other", "import httpx\nhttpx.post('https://example.org')")])
