"""The address key: one spelling for the many ways in which an address is written.

Street suffixes, directions and unit designators are those of the Postal Service's Publication 28,
appendices B and C (https://pe.usps.com/text/pub28/welcome.htm). The key is for meeting, not for
mail: every word of a street is abbreviated, not only the last.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# What an address calls it -> what the key calls it; written from the key's side.
_SUFFIXES = """
ALY ALLEE ALLEY ALLY| ANX ANEX ANNEX ANNX| ARC ARCADE| AVE AV AVEN AVENU AVENUE AVN AVNUE| BYU BAYOO
BAYOU| BCH BEACH| BND BEND| BLF BLUF BLUFF| BLFS BLUFFS| BTM BOT BOTTM BOTTOM| BLVD BOUL BOULEVARD
BOULV| BR BRNCH BRANCH| BRG BRDGE BRIDGE| BRK BROOK| BRKS BROOKS| BG BURG| BGS BURGS| BYP BYPA BYPAS
BYPASS BYPS| CP CAMP CMP| CYN CANYN CANYON CNYN| CPE CAPE| CSWY CAUSEWAY CAUSWA| CTR CEN CENT CENTER
CENTR CENTRE CNTER CNTR| CTRS CENTERS| CIR CIRC CIRCL CIRCLE CRCL CRCLE| CIRS CIRCLES| CLF CLIFF|
CLFS CLIFFS| CLB CLUB| CMN COMMON| CMNS COMMONS| COR CORNER| CORS CORNERS| CRSE COURSE| CT COURT|
CTS COURTS| CV COVE| CVS COVES| CRK CREEK| CRES CRESCENT CRSENT CRSNT| CRST CREST| XING CROSSING
CRSSNG| XRD CROSSROAD| XRDS CROSSROADS| CURV CURVE| DL DALE| DM DAM| DV DIV DIVIDE DVD| DR DRIV
DRIVE DRV| DRS DRIVES| EST ESTATE| ESTS ESTATES| EXPY EXP EXPR EXPRESS EXPRESSWAY EXPW| EXT
EXTENSION EXTN EXTNSN| EXTS EXTENSIONS| FLS FALLS| FRY FERRY FRRY| FLD FIELD| FLDS FIELDS| FLT FLAT|
FLTS FLATS| FRD FORD| FRDS FORDS| FRST FOREST FORESTS| FRG FORG FORGE| FRGS FORGES| FRK FORK| FRKS
FORKS| FT FORT FRT| FWY FREEWAY FREEWY FRWAY FRWY| GDN GARDEN GARDN GRDEN GRDN| GDNS GARDENS GRDNS|
GTWY GATEWAY GATEWY GATWAY GTWAY| GLN GLEN| GLNS GLENS| GRN GREEN| GRNS GREENS| GRV GROV GROVE| GRVS
GROVES| HBR HARB HARBOR HARBR HRBOR| HBRS HARBORS| HVN HAVEN| HTS HT HEIGHTS| HWY HIGHWAY HIGHWY
HIWAY HIWY HWAY| HL HILL| HLS HILLS| HOLW HLLW HOLLOW HOLLOWS HOLWS| INLT INLET| IS ISLAND ISLND|
ISS ISLANDS ISLNDS| ISLE ISLES| JCT JCTION JCTN JUNCTION JUNCTN JUNCTON| JCTS JCTNS JUNCTIONS| KY
KEY| KYS KEYS| KNL KNOL KNOLL| KNLS KNOLLS| LK LAKE| LKS LAKES| LNDG LANDING LNDNG| LN LANE| LGT
LIGHT| LGTS LIGHTS| LF LOAF| LCK LOCK| LCKS LOCKS| LDG LDGE LODG LODGE| LOOP LOOPS| MNR MANOR| MNRS
MANORS| MDW MEADOW| MDWS MDWS MEADOWS MEDOWS| ML MILL| MLS MILLS| MSN MISSN MISSION MSSN| MTWY
MOTORWAY| MT MNT MOUNT| MTN MNTAIN MNTN MOUNTAIN MOUNTIN MTIN| MTNS MNTNS MOUNTAINS| NCK NECK| ORCH
ORCHARD ORCHRD| OVAL OVL| OPAS OVERPASS| PARK PRK PARKS| PKWY PARKWAY PARKWY PKWAY PKY PARKWAYS
PKWYS| PSGE PASSAGE| PATH PATHS| PIKE PIKES| PNE PINE| PNES PINES| PL PLACE| PLN PLAIN| PLNS PLAINS|
PLZ PLAZA PLZA| PT POINT| PTS POINTS| PRT PORT| PRTS PORTS| PR PRAIRIE PRR| RADL RAD RADIAL RADIEL|
RNCH RANCH RANCHES RNCHS| RPD RAPID| RPDS RAPIDS| RST REST| RDG RDGE RIDGE| RDGS RIDGES| RIV RIVER
RIVR RVR| RD ROAD| RDS ROADS| RTE ROUTE RT| SHL SHOAL| SHLS SHOALS| SHR SHOAR SHORE| SHRS SHOARS
SHORES| SKWY SKYWAY| SPG SPNG SPRING SPRNG| SPGS SPNGS SPRINGS SPRNGS| SPUR SPURS| SQ SQR SQRE SQU
SQUARE| SQS SQRS SQUARES| STA STATION STATN STN| STRA STRAV STRAVEN STRAVENUE STRAVN STRVN STRVNUE|
STRM STREAM STREME| ST STREET STRT STR SAINT| STS STREETS| SMT SUMIT SUMITT SUMMIT| TER TERR
TERRACE| TRWY THROUGHWAY| TRCE TRACE TRACES| TRAK TRACK TRACKS TRK TRKS| TRFY TRAFFICWAY| TRL TRAIL
TRAILS TRLS| TUNL TUNEL TUNLS TUNNEL TUNNELS TUNNL| TPKE TRNPK TURNPIKE TURNPK TPK| UPAS UNDERPASS|
UN UNION| UNS UNIONS| VLY VALLEY VALLY VLLY| VLYS VALLEYS| VIA VDCT VIADCT VIADUCT| VW VIEW| VWS
VIEWS| VLG VILL VILLAG VILLAGE VILLG VILLIAGE| VLGS VILLAGES| VL VILLE| VIS VIST VISTA VST VSTA|
WALK WALKS| WAY WY| WL WELL| WLS WELLS
"""
_DIRECTIONS = "N NORTH|E EAST|S SOUTH|W WEST|NE NORTHEAST|SE SOUTHEAST|NW NORTHWEST|SW SOUTHWEST"
_ORDINALS = (
    "1ST FIRST|2ND SECOND|3RD THIRD|4TH FOURTH|5TH FIFTH|"
    "6TH SIXTH|7TH SEVENTH|8TH EIGHTH|9TH NINTH|10TH TENTH"
)
# A designator says what kind of unit it is and is left out; a word that is the unit itself stays.
_DESIGNATOR = re.compile(
    "APARTMENT|APT|BLDG|BUILDING|CONDO|FL|FLOOR|FLR|LOT|NO|NUMBER|RM|ROOM|SPACE|SPC|STE|SUITE|"
    "TRAILER|TRLR|UNIT"
)
_UNIT_WORDS = "BSMT BASEMENT|FRNT FRONT|LOWR LOWER|OFC OFFICE|PH PENTHOUSE|UPPR UPPER"
_ORDINAL_ENDINGS = frozenset({"ST", "ND", "RD", "TH"})


def _spellings(*tables: str) -> dict[str, str]:
    rows = (row.split() for table in tables for row in table.split("|"))
    return {spelling: key for key, *others in rows for spelling in (key, *others)}


_WORDS = _spellings(_SUFFIXES, _DIRECTIONS, _ORDINALS)
_WORDS_OF_UNITS = _spellings(_ORDINALS, _UNIT_WORDS)
# Accents, apostrophes and the dots of N.E. part no words; all other signs do.
_JOINS = re.compile("[\u0300-\u036f'\u2019\u02bc]|(?<=[A-Z\u0300-\u036f])[.]")
_CACHED = 1 << 16  # more than the street names of a state


def address_key(number: str, street: str, unit: str, city: str, postcode: str) -> str:
    """Return the key NUMBER|STREET|UNIT|CITY|POSTCODE by which equal addresses meet.

    Case, accents, punctuation and abbreviations do not count. Its own parts give the same key.
    """
    return "|".join((_number(number), _name(street), _unit(unit), _name(city), _postcode(postcode)))


@lru_cache(_CACHED)
def _number(text: str) -> str:
    return _compact(_pieces(_folded(text)))


@lru_cache(_CACHED)
def _name(text: str) -> str:
    return " ".join(_WORDS.get(word, word) for word in _folded(text).split())


@lru_cache(_CACHED)
def _unit(text: str) -> str:
    words = (_WORDS_OF_UNITS.get(word, word) for word in _folded(text).split())
    kept: list[str] = []
    for piece in _pieces(" ".join(words)):
        ending = piece in _ORDINAL_ENDINGS and bool(kept) and kept[-1].isdecimal()
        if not (ending or _DESIGNATOR.fullmatch(piece)):
            kept.append(piece)
    return _compact(kept)


@lru_cache(_CACHED)
def _postcode(text: str) -> str:
    """Return five digits; those that a spreadsheet took the leading zero from get it back."""
    folded = _folded(text)
    zip_code = folded.partition(" ")[0]
    if not zip_code.isdecimal():
        return folded
    if len(zip_code) in (3, 4, 5):
        return zip_code.zfill(5)
    if len(zip_code) in (8, 9):
        return zip_code.zfill(9)[:5]
    return folded


def _folded(text: str) -> str:
    """Return upper-case ASCII words with single blanks between them."""
    spaced = "".join(
        f" {sign}" if unicodedata.decomposition(sign).startswith("<fraction>") else sign
        for sign in text
    )
    letters = unicodedata.normalize("NFKD", spaced).upper()
    return " ".join(re.findall("[A-Z0-9]+", _JOINS.sub("", letters)))


def _pieces(folded: str) -> list[str]:
    """Split where digits meet letters, and drop leading zeros."""
    return [
        piece.lstrip("0") or "0" if piece.isdecimal() else piece
        for piece in re.findall("[0-9]+|[A-Z]+", folded)
    ]


def _compact(pieces: list[str]) -> str:
    """Join without a blank where digits meet letters: 4 B is 4B, 12-14 is 12 14."""
    return re.sub(r"(?<=[0-9]) (?=[A-Z])|(?<=[A-Z]) (?=[0-9])", "", " ".join(pieces))
