"""Connecticut, its quadrants and some of its cities, in degrees and on the page's map.

The outline is of the U.S. Census Bureau's cartographic boundary file of 2017 at 1:10,000,000, which
is in the public domain, as the npm package us-atlas 3 has it; points that lie within 150 m of the
line between their neighbours are left out.
"""

from __future__ import annotations

from math import cos, radians

SOURCE = "U.S. Census Bureau, cartographic boundary files (public domain), simplified"

# The boxes of pythonapp/ct*.yaml: the whole state, and where its quadrants meet.
WEST, SOUTH, EAST, NORTH = -73.73, 40.98, -71.78, 42.06
MIDDLE_LON, MIDDLE_LAT = -72.644537, 41.683924

OUTLINE = (
    (-72.341, 41.280),
    (-72.387, 41.261),
    (-72.398, 41.279),
    (-72.452, 41.279),
    (-72.538, 41.255),
    (-72.570, 41.268),
    (-72.664, 41.269),
    (-72.689, 41.247),
    (-72.753, 41.267),
    (-72.897, 41.243),
    (-72.908, 41.295),
    (-72.940, 41.280),
    (-73.008, 41.210),
    (-73.051, 41.210),
    (-73.109, 41.169),
    (-73.130, 41.147),
    (-73.177, 41.167),
    (-73.263, 41.117),
    (-73.288, 41.128),
    (-73.371, 41.104),
    (-73.353, 41.085),
    (-73.389, 41.058),
    (-73.493, 41.048),
    (-73.572, 41.002),
    (-73.604, 41.015),
    (-73.658, 40.985),
    (-73.654, 41.013),
    (-73.726, 41.101),
    (-73.482, 41.212),
    (-73.550, 41.296),
    (-73.486, 42.050),
    (-73.432, 42.051),
    (-73.055, 42.040),
    (-72.815, 42.036),
    (-72.818, 41.998),
    (-72.768, 42.003),
    (-72.757, 42.036),
    (-72.606, 42.031),
    (-72.509, 42.035),
    (-72.136, 42.030),
    (-71.802, 42.023),
    (-71.799, 42.008),
    (-71.799, 41.916),
    (-71.788, 41.725),
    (-71.788, 41.596),
    (-71.799, 41.417),
    (-71.842, 41.410),
    (-71.831, 41.345),
    (-71.860, 41.320),
    (-71.885, 41.336),
    (-71.946, 41.338),
    (-72.021, 41.317),
    (-72.086, 41.320),
    (-72.133, 41.299),
    (-72.190, 41.323),
    (-72.212, 41.291),
)

CITIES = (
    ("Hartford", -72.685, 41.764),
    ("New Haven", -72.928, 41.308),
    ("Bridgeport", -73.195, 41.179),
    ("Stamford", -73.539, 41.053),
    ("Waterbury", -73.051, 41.558),
    ("Danbury", -73.454, 41.395),
    ("New London", -72.100, 41.356),
    ("Norwich", -72.076, 41.524),
    ("Torrington", -73.121, 41.801),
    ("Storrs", -72.250, 41.808),
)

# A degree of longitude is shorter than one of latitude; WIDTH is of the state's box in map units.
WIDTH, MARGIN = 1000.0, 16.0
_SHORTER = cos(radians((SOUTH + NORTH) / 2))
_UNITS = WIDTH / ((EAST - WEST) * _SHORTER)
HEIGHT = (NORTH - SOUTH) * _UNITS


def project(lon: float, lat: float) -> tuple[float, float]:
    """Return where a place is on the map: to the right and down from the north-west corner."""
    return (lon - WEST) * _SHORTER * _UNITS, (NORTH - lat) * _UNITS


def on_map(x: float, y: float) -> bool:
    """Tell whether a place of the map is within its margin."""
    return -MARGIN <= x <= WIDTH + MARGIN and -MARGIN <= y <= HEIGHT + MARGIN


def path() -> str:
    """Return the outline as an SVG path."""
    points = " ".join(f"{x:.0f},{y:.0f}" for x, y in (project(*each) for each in OUTLINE))
    return f"M{points}Z"
