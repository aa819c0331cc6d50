"""What codes of the datasets are called on pages."""

from __future__ import annotations

TYPES = {
    "movie": "Movie",
    "tvMovie": "TV movie",
    "short": "Short",
    "video": "Video",
    "tvSeries": "Series",
    "tvMiniSeries": "Mini-series",
    "tvShort": "TV short",
    "tvSpecial": "TV special",
    "tvEpisode": "Episode",
    "tvPilot": "Pilot",
    "videoGame": "Video game",
}

SOURCES = {"imdb": "IMDb", "movielens": "MovieLens", "tmdb": "TMDb", "own": "Your own"}

SORTS = {
    "-votes": "Most votes",
    "relevance": "Best match",
    "-score": "Best rated, weighted by votes",
    "-rating": "Highest rating",
    "-year": "Newest",
    "year": "Oldest",
    "title": "Title A to Z",
    "-title": "Title Z to A",
    "-release_date": "Latest release",
}

CATEGORIES = {
    "director": "Director",
    "writer": "Writer",
    "actor": "Actor",
    "actress": "Actress",
    "self": "Self",
    "producer": "Producer",
    "composer": "Composer",
    "cinematographer": "Cinematographer",
    "editor": "Editor",
    "production_designer": "Production designer",
    "casting_director": "Casting director",
    "archive_footage": "Archive footage",
    "archive_sound": "Archive sound",
}

_LANGUAGES = (
    "af=Afrikaans ar=Arabic az=Azerbaijani be=Belarusian bg=Bulgarian bm=Bambara bn=Bengali bo=Tibetan bs=Bosnian "
    "ca=Catalan cn=Cantonese cs=Czech cy=Welsh da=Danish de=German el=Greek en=English eo=Esperanto es=Spanish "
    "et=Estonian eu=Basque fa=Persian fi=Finnish fr=French fy=Frisian ga=Irish gl=Galician gu=Gujarati he=Hebrew "
    "hi=Hindi hr=Croatian hu=Hungarian hy=Armenian id=Indonesian is=Icelandic it=Italian iu=Inuktitut ja=Japanese "
    "jv=Javanese ka=Georgian kk=Kazakh km=Khmer kn=Kannada ko=Korean ku=Kurdish ky=Kyrgyz la=Latin lb=Luxembourgish "
    "lo=Lao lt=Lithuanian lv=Latvian mk=Macedonian ml=Malayalam mn=Mongolian mr=Marathi ms=Malay mt=Maltese "
    "my=Burmese nb=Norwegian ne=Nepali nl=Dutch no=Norwegian pa=Punjabi pl=Polish ps=Pashto pt=Portuguese "
    "qu=Quechua ro=Romanian ru=Russian rw=Kinyarwanda sa=Sanskrit se=Sami sh=Serbo-Croatian si=Sinhala sk=Slovak "
    "sl=Slovenian so=Somali sq=Albanian sr=Serbian sv=Swedish sw=Swahili ta=Tamil te=Telugu tg=Tajik th=Thai "
    "tl=Tagalog tr=Turkish uk=Ukrainian ur=Urdu uz=Uzbek vi=Vietnamese wo=Wolof xh=Xhosa yi=Yiddish zh=Chinese "
    "zu=Zulu"
)
LANGUAGES = {"xx": "No language", **dict(pair.split("=") for pair in _LANGUAGES.split())}


def category(code: str) -> str:
    """`production_designer` → Production designer."""
    return CATEGORIES.get(code) or code.replace("_", " ").capitalize()


def language(code: str) -> str:
    """`fr` → French; the code itself where it has no name here."""
    return LANGUAGES.get(code, code)
