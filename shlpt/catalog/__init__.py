"""The methods as data, without torch: `methods` has a record for each, `params` their settings."""

from shlpt.catalog.methods import METHODS, PLAIN, VIEW_CACHE, MethodInfo, Size

__all__ = ["METHODS", "PLAIN", "VIEW_CACHE", "MethodInfo", "Size"]
