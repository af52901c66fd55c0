"""The weekly pause of the exchange: Thursdays 03:00 to 05:00 US Eastern. Quotes freeze then and look fresh."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from kalshi_pipeline.distributions.compiled import Bools

_EASTERN = pa.timestamp("us", tz="America/New_York")
_THURSDAY, _FROM_HOUR, _UNTIL_HOUR = 3, 3, 5


def in_pause(instants: npt.NDArray[np.datetime64]) -> Bools:
    """Which instants (UTC) fall within the pause, its end excluded."""
    eastern = pa.array(instants.astype("datetime64[us]")).cast(pa.timestamp("us", tz="UTC")).cast(_EASTERN)
    hour = pc.hour(eastern).to_numpy(zero_copy_only=False)
    day = pc.day_of_week(eastern).to_numpy(zero_copy_only=False)
    return np.asarray((day == _THURSDAY) & (hour >= _FROM_HOUR) & (hour < _UNTIL_HOUR))
