"""The methods as data, without torch: `methods` has a record for each, `params` their settings."""

from shlpt.catalog.methods import METHODS, PLAIN, VIEW_CACHE, MethodInfo, Size
from shlpt.catalog.params import (
    BmtptParams,
    CodaParams,
    ContrastParams,
    DtvgParams,
    EwcParams,
    L2pParams,
    NoParams,
    OraclePartitionParams,
    Params,
    RandomPartitionParams,
    ReplayParams,
    ShlptParams,
)

__all__ = [
    "METHODS",
    "PLAIN",
    "VIEW_CACHE",
    "BmtptParams",
    "CodaParams",
    "ContrastParams",
    "DtvgParams",
    "EwcParams",
    "L2pParams",
    "MethodInfo",
    "NoParams",
    "OraclePartitionParams",
    "Params",
    "RandomPartitionParams",
    "ReplayParams",
    "ShlptParams",
    "Size",
]
