"""Series: steps as they are written, hours compacted by pcodec, rollups for long ranges."""

from nightowl.adapters.store_sql.series.catalogue import Catalogue
from nightowl.adapters.store_sql.series.store import SqlSeries

__all__ = ["Catalogue", "SqlSeries"]
