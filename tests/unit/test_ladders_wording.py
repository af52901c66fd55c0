"""Words and tickers are read for strikes only where they say something, and never beyond it."""

from __future__ import annotations

import pytest

from kalshi_pipeline.ladders.wording import Reading, TickerReading, read_ticker, read_words

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("words", "reading"),
    [
        ("Above 0.3%", Reading("greater", 0.3)),
        ("Above -0.2%", Reading("greater", -0.2)),
        ("74° or above", Reading("greater_or_equal", 74.0)),
        ("61° or below", Reading("less_or_equal", None, 61.0)),
        ("68° to 69°", Reading("between", 68.0, 69.0)),
        ("$50,000 to 50,099.99", Reading("between", 50_000.0, 50_099.99)),
        ("-0.4 to -0.2", Reading("between", -0.4, -0.2)),
        (">= 3.5", Reading("greater_or_equal", 3.5)),
        ("≤ 2", Reading("less_or_equal", None, 2.0)),
        ("exceeds 4.2%", Reading("greater", 4.2)),
        ("not above 3", Reading("less_or_equal", None, 3.0)),
        ("no more than 3", Reading("less_or_equal", None, 3.0)),
        ("no less than 5", Reading("greater_or_equal", 5.0)),
        ("less than or equal to 4", Reading("less_or_equal", None, 4.0)),
        ("recovery above 50%", Reading("greater", 50.0)),
        ("Above 0.25 million", Reading("greater", 250_000.0)),
        ("150k or more", Reading("greater_or_equal", 150_000.0)),
        ("Will CPI rise more than 0.6% in June?", Reading("greater", 0.6)),
        ("Will the high temp in NYC be >73° on Oct 21, 2025?", Reading("greater", 73.0)),
        ("Will the high temp be 68-69° on Oct 21", Reading("between", 68.0, 69.0)),
    ],
)
def test_payoffs_are_read_from_words(words: str, reading: Reading) -> None:
    assert read_words(words) == reading


@pytest.mark.parametrize(
    "words",
    [
        "",
        "Danger in 2026",
        "altogether 2025",
        "Target price: TBD",
        "Above 3 and above 4",
        "Highest temperature 2024-08-16",
    ],
)
def test_what_cannot_be_read_is_nothing(words: str) -> None:
    assert read_words(words) is None


@pytest.mark.parametrize(
    ("ticker", "event", "reading"),
    [
        ("KXCPI-26AUG-T-0.1", "KXCPI-26AUG", TickerReading("", "T", -0.1)),
        ("CPI-22AUG-TN0.4", "CPI-22AUG", TickerReading("", "T", -0.4)),
        ("KXCPI-26AUG-T0", "KXCPI-26AUG", TickerReading("", "T", 0.0)),
        ("HIGHCHI-24AUG16-B82.5", "HIGHCHI-24AUG16", TickerReading("", "B", 82.5)),
        ("KXRAIN-26JUN-NYC-T1.5", "KXRAIN-26JUN", TickerReading("NYC", "T", 1.5)),
        ("KXRAIN-26JUN-NOLA-T-1.5", "KXRAIN-26JUN", TickerReading("NOLA", "T", -1.5)),
        ("KXTOTAL-26JAN01-OKC110", "KXTOTAL-26JAN01", TickerReading("OKC", "", 110.0)),
        ("KXRAIN-26JUN-NYC", "KXRAIN-26JUN", TickerReading("NYC", "", None)),
        ("STRAY-T5", "KXOTHER-26JUN", TickerReading("", "T", 5.0)),
    ],
)
def test_tickers(ticker: str, event: str, reading: TickerReading) -> None:
    assert read_ticker(ticker, event) == reading
