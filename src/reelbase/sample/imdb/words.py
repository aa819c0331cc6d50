"""Words for IMDb's files: titles in several scripts, people's names, jobs. No publisher's list is behind them."""

# ruff: noqa: RUF001 (letters of other scripts that look like Latin ones are meant)

from __future__ import annotations

from reelbase.sample.titles import ADJECTIVES, FOREIGN, NAMES, NOUNS, PLACES, words

NULL = "\\N"

# Hard on readers: quotes that never close, words for null, backslashes, signs with a meaning elsewhere.
ODD_TITLES = (
    '"Silent Harbor', "None", "NA", "null", "nan", "N/A", "AC\\DC: Broken Bridge", "C:\\Dos\\Run", '"', "\\",
    "'Til Rain", '"Golden" Letter', "100%", "#1", "=1+1", "-", "1984", "007", "true", "<Exit>",
    "Tom & Clara", "Ça brûle", "Æon", "İstanbul'da Sonbahar", "日本の夏", "Осень", "Straße ins Glück", "Café “Zoë”",
    "Don't; Stop", "a|b, c", "\\Ns",
)  # fmt: skip

# Region, language, first words, second words: titles elsewhere.
ELSEWHERE = (
    ("RU", "ru", "Тихая Последняя Золотая Зимняя Чужая Потерянная", "гавань ночь река дорога станция песня осень"),
    ("UA", "uk", "Тиха Остання Їхня Золота Зимова", "ніч пристань дорога пісня річка"),
    ("BG", "bg", "Тихата Последната Златната", "нощ река гара песен"),
    ("GR", "el", "Η_σιωπηλή Το_τελευταίο Η_χαμένη", "νύχτα λιμάνι καλοκαίρι θάλασσα"),
    ("JP", "ja", "静かな 最後の 黄金の 失われた 冬の", "港 夜 夏 手紙 駅 庭"),
    ("CN", "zh", "寂静的 最后的 金色的 失落的", "港湾 夜晚 花园 信"),
    ("KR", "ko", "조용한 마지막 황금의 잃어버린", "항구 밤 여름 편지"),
    ("IN", "hi", "खामोश आखिरी सुनहरा", "रात नदी शहर सपना"),
    ("IL", "he", "הנמל_השקט האחרון הזהב", "לילה קיץ מכתב"),
    ("EG", "ar", "الميناء الليلة_الأخيرة الصيف", "الصامت الذهبي المفقود"),
    ("TH", "th", "ท่าเรือ คืน ฤดูร้อน", "สุดท้าย เงียบ ที่หายไป"),
    ("DE", "de", "Der_stille Die_letzte Das_goldene Schöner", "Hafen Brücke Königin Straße Gärten"),
    ("FR", "fr", "Le_dernier L'été La_forêt Les_années", "oubliées perdu brûlée à_Genève"),
    ("ES", "es", "El_último La_montaña Los_años El_corazón", "verano azul difíciles del_niño"),
    ("BR", "pt", "O_último A_estação O_coração", "verão da_noite perdida"),
    ("PT", "pt", "A_última O_irmão As_manhãs", "estação perdido de_Lisboa"),
    ("IT", "it", "L'ultima La_città Il_papà", "estate più_bella perduto"),
    ("PL", "pl", "Ostatnia Złota Cicha Zażółcona", "łąka noc przystań jaźń"),
    ("CZ", "cs", "Černá Poslední Tichý", "růže přístav léto"),
    ("HU", "hu", "Az_utolsó A_csendes Őszi", "kikötő éjszaka tűz"),
    ("SE", "sv", "Den_sista Den_tysta Gyllene", "båten hamnen ängen"),
    ("NO", "no", "Det_røde Den_siste", "huset båten ødemarken"),
    ("FI", "fi", "Viimeinen Hiljainen Kultainen", "kesä satama yö tähti"),
    ("TR", "tr", "Son Sessiz Altın Kayıp", "güneş liman gece İstanbul"),
    ("RO", "ro", "Ultima Tăcerea Grădina", "nopții de_aur pierdută"),
    ("VN", "vi", "Mùa_hè Bến_cảng Đêm", "cuối_cùng im_lặng vàng"),
)
SAME_TITLE_IN = ("US", "GB", "CA", "AU", "XWW", "IE", "NZ", "PH", "ZA", "SG", "IN", "NG", "XWG", "XEU")
EPISODE_IN = (
    ("DE", "de", "Folge #"), ("FR", "fr", "Épisode #"), ("IT", "it", "Episodio #"), ("ES", "es", "Episodio #"),
    ("JP", "ja", "エピソード #"), ("IN", "hi", "एपिसोड #"), ("PT", "pt", "Episódio #"),
)  # fmt: skip
# How often, and types and attributes of an aka; a list is joined by the byte 0x02.
AKA_NOTES = (
    (700, "imdbDisplay", "\\N"), (560, "\\N", "\\N"), (60, "alternative", "\\N"), (40, "working", "\\N"),
    (20, "dvd", "\\N"), (14, "festival", "\\N"), (14, "tv", "\\N"), (8, "video", "\\N"),
    (20, "\\N", "literal title"), (14, "\\N", "literal English title"), (10, "\\N", "transliterated title"),
    (8, "alternative", "alternative spelling"), (6, "\\N", "reissue title\x02recut version"),
    (4, "dvd\x02video", "\\N"), (4, "alternative\x02tv", "complete title\x02new title"),
    (2, "\\N", "informal \"short\" title"),
)  # fmt: skip

FIRST_NAMES = (
    *NAMES,
    *words(
        """
    Akira Yuki Haruto Mei Sakura Kenji Wei Li Xiu Jun Minjun Jisoo Hana Priya Arjun Ravi Ananya Deepa Fatima Omar Layla
    Yusuf Amina Karim Ivan Olga Dmitri Katarzyna Paweł Agnieszka Zsófia Gábor Eszter Çağla Emre Ayşe Linh Tuấn Kwame
    Ama Chidi Ngozi João Inês Tiago Sofía Diego Lucía Mateo Håkon Åsa Bjørn Siobhán Niamh Seán Giulia Marco Chiara
    Nikos Eleni Ștefan Ioana Željko Snežana Jiří Božena Mary John James Emma David Sarah Michael Linda Kevin Laura-Ann
    Jean-Pierre Marie-Claire O.J. Lil' Prince Madonna
    """
    ),
)
_STEMS = words(
    """
    Harb Wint Lind Berg Stern Gold Rosen Silv Cast Mor Bianch Petr Ivan Kowal Nov Horv Szab Papad Yam Tan Sat Kim Park
    Wang Chen Sing Shar Gupt Kum Pat Hass Rahm Okon Ade Mens Dial Traor Nguy Tran Pham Gonz Rodrig Fern Lóp Mart Hern
    Ram Silv Cost Alm Carv Smiths John Will Brown Tayl Walk Hall Clark Young Whit Grün Müll Schröd Köhl Jäg Dup Lef
    Mich Garn Fournier Øst Hall Nyg Lunds Kask Virt Mäk Yıld Dem Öz Ćir Jov Mark Ion Pop Ducl
    """
)
_ENDINGS = words(
    """
    er man son sson sen berg ström ini elli etti ez es eau ot ov ova ev eva ski ska ić ák opoulos moto saki naka nen
    la u oğlu dze yan escu ka ley ton ford wood stein
    """
)
LAST_NAMES = tuple(f" {stem}{ending}" for stem in dict.fromkeys(_STEMS) for ending in _ENDINGS)
INITIALS = ("", "", "", "", "", "", "", "", " A.", " J.", " M.", " S.", " de", " van", " Mc", " 'Red'")

PROFESSIONS = (
    ("actor", 2_600), ("actress", 1_700), ("producer", 1_300), ("miscellaneous", 1_200), ("camera_department", 900),
    ("writer", 850), ("director", 800), ("self", 800), ("art_department", 500), ("sound_department", 480),
    ("cinematographer", 450), ("editor", 420), ("composer", 380), ("assistant_director", 360),
    ("music_department", 330), ("visual_effects", 300), ("editorial_department", 280), ("animation_department", 260),
    ("make_up_department", 240), ("production_manager", 200), ("costume_department", 190), ("archive_footage", 150),
    ("stunts", 140), ("casting_director", 100), ("talent_agent", 30),
)  # fmt: skip

JOBS = {
    "producer": ("producer", "producer", "producer", "executive producer", "co-producer", "line producer"),
    "writer": (
        "\\N", "\\N", "\\N", "screenplay", "story", "written by", "novel", "based on the novel by", "creator",
        "screenplay & story", "head writer", 'based on the play "Rain"', "teleplay",
    ),
    "cinematographer": ("\\N", "director of photography", "director of photography"),
    "composer": ("\\N", "\\N", "music by"),
    "director": ("\\N", "\\N", "\\N", "\\N", "co-director", "segment director"),
    "editor": ("\\N", "\\N", "\\N", "supervising editor"),
}  # fmt: skip

HEADS = (
    *ADJECTIVES,
    *(f"The {word}" for word in ADJECTIVES),
    *(f"A {word}" for word in ADJECTIVES if word[0] not in "AEIOU"),
    *(f"{name}'s" for name in NAMES),
    *(f"{name} and the" for name in NAMES),
    *(f"{noun} of the" for noun in NOUNS),
    *(f"The {noun} and the" for noun in NOUNS),
    *(f"{place}" for place in PLACES),
    *(f"Return to the {place}" for place in PLACES),
)
FOREIGN_TITLES = tuple(
    f"{article}{'' if article.endswith(chr(39)) or not article else ' '}{words}" for article, words in FOREIGN
)


def tails() -> list[str]:
    """What may follow one of the `HEADS`: the short ones more often."""
    of_places = [f" {noun} of {place}" for noun in NOUNS for place in PLACES]
    twofold = [f" {noun}: {other}" for noun in NOUNS for other in NOUNS]
    numbered = [f" {noun} {number}" for noun in NOUNS for number in ("2", "3", "II", "III", "2000")]
    return [*(f" {noun}" for noun in NOUNS for _ in range(50)), *of_places, *twofold, *numbered]


def elsewhere(region: int, first: int, second: int) -> tuple[str, str, str]:
    """A title in the words of a region, with its region and language; the numbers are turned into places."""
    name, language, firsts, seconds = ELSEWHERE[region % len(ELSEWHERE)]
    starts, ends = firsts.split(), seconds.split()
    title = f"{starts[first % len(starts)]} {ends[second % len(ends)]}"
    return title.replace("_", " "), name, language
