"""Cities and places that users of the assistant domain mention."""

_CITIES = """
Aberdeen, Abu Dhabi, Accra, Adelaide, Albany, Alexandria, Algiers, Amsterdam, Anchorage, Ankara,
Antwerp, Athens, Atlanta, Auckland, Baghdad, Baltimore, Bangkok, Barcelona, Basel, Beijing,
Beirut, Belfast, Belgrade, Bergen, Berlin, Birmingham, Bogota, Bologna, Bombay, Bordeaux, Boston,
Brasilia, Bremen, Brisbane, Bristol, Brooklyn, Brussels, Bucharest, Budapest, Buenos Aires,
Buffalo, Cairo, Calcutta, Calgary, Cambridge, Canberra, Cape Town, Caracas, Cardiff, Casablanca,
Chicago, Cincinnati, Cleveland, Colombo, Cologne, Columbus, Copenhagen, Coventry, Cracow, Dakar,
Dallas, Damascus, Delhi, Denver, Detroit, Doha, Dortmund, Dresden, Dubai, Dublin, Dundee, Durban,
Dusseldorf, Edinburgh, Edmonton, Exeter, Frankfurt, Galway, Geneva, Genoa, Gibraltar, Glasgow,
Gothenburg, Granada, Halifax, Hamburg, Hanoi, Hanover, Havana, Heidelberg, Helsinki, Hiroshima,
Hong Kong, Honolulu, Houston, Indianapolis, Innsbruck, Istanbul, Jakarta, Jerusalem, Johannesburg,
Kansas City, Karachi, Kiev, Kingston, Kyoto, Lagos, Las Vegas, Leeds, Leicester, Leipzig, Lima,
Lisbon, Liverpool, London, Los Angeles, Louisville, Lucerne, Luxembourg, Madrid, Malaga,
Manchester, Manila, Marrakesh, Marseille, Melbourne, Memphis, Mexico City, Miami, Milan,
Milwaukee, Minneapolis, Mombasa, Monaco, Montreal, Moscow, Mumbai, Munich, Nagasaki, Nairobi,
Naples, Nashville, New Orleans, New York, Newcastle, Norwich, Nottingham, Nuremberg, Oakland,
Osaka, Oslo, Ottawa, Oxford, Palermo, Panama City, Paris, Perth, Philadelphia, Phoenix,
Pittsburgh, Plymouth, Portland, Porto, Prague, Pretoria, Quebec, Reykjavik, Richmond, Riga, Rome,
Rotterdam, Sacramento, Saint Louis, Salzburg, San Diego, San Francisco, Santiago, Sarajevo,
Seattle, Seoul, Seville, Shanghai, Sheffield, Singapore, Sofia, Southampton, Stockholm,
Strasbourg, Stuttgart, Sydney, Taipei, Tallinn, Tampa, Tehran, Tel Aviv, Tokyo, Toledo, Toronto,
Toulouse, Trieste, Tripoli, Tucson, Tunis, Turin, Utrecht, Valencia, Vancouver, Venice, Verona,
Vienna, Vilnius, Warsaw, Washington, Wellington, Winnipeg, Yokohama, York, Zagreb, Zurich
"""

CITIES: tuple[str, ...] = tuple(c.strip() for c in _CITIES.replace("\n", " ").split(","))

CITY_VARIANTS: dict[str, tuple[str, ...]] = {
    "Bogota": ("Bogotá", "Bagota"),
    "Brasilia": ("Brazilia", "Brasília"),
    "Cincinnati": ("Cincinnatti", "Cincinati"),
    "Cologne": ("Colone", "Colon"),
    "Cracow": ("Krakow", "Kraków"),
    "Dakar": ("Dakkar",),
    "Doha": ("Doja",),
    "Dusseldorf": ("Düsseldorf", "Dussldorf"),
    "Edinburgh": ("Edinboro", "Edinborough"),
    "Exeter": ("Exiter",),
    "Geneva": ("Genevah",),
    "Genoa": ("Genova",),
    "Hanover": ("Hannover",),
    "Kiev": ("Kyiv",),
    "Leicester": ("Lester",),
    "Leipzig": ("Leipsig",),
    "Lima": ("Leema",),
    "Los Angeles": ("LA",),
    "Lucerne": ("Luzern",),
    "Malaga": ("Málaga",),
    "Marrakesh": ("Marrakech",),
    "Marseille": ("Marseilles", "Marsay"),
    "Montreal": ("Montréal",),
    "Naples": ("Maples",),
    "Norwich": ("Norridge", "Norich"),
    "Nuremberg": ("Nurnberg", "Nuremburg"),
    "Philadelphia": ("Filadelfia",),
    "Pittsburgh": ("Pittsburg",),
    "Plymouth": ("Plymoth",),
    "Quebec": ("Québec",),
    "Reykjavik": ("Reykjavík", "Rakevik", "Reikavik"),
    "Rome": ("Roam",),
    "Saint Louis": ("St Louis", "Saint Lewis"),
    "San Francisco": ("San Fransisco",),
    "Seoul": ("Soul", "Sole"),
    "Seville": ("Sevilla", "Civil"),
    "Strasbourg": ("Strasburg", "Strassburg"),
    "Taipei": ("Taipeh", "Type A"),
    "Tallinn": ("Tallin", "Talin"),
    "Tehran": ("Teheran", "Terran"),
    "Tunis": ("Tunes",),
    "Tucson": ("Tuscon",),
    "Vienna": ("Viena",),
    "Vilnius": ("Vilnus",),
    "Wellington": ("Welington",),
    "Zagreb": ("Zagrab",),
    "Zurich": ("Zürich", "Zurick"),
}
"""Other spellings of a city that an ASR writes for the same sound."""

PLACES: tuple[str, ...] = tuple(
    "the " + p.strip()
    for p in """
airport, train station, bus station, city center, hospital, museum, library, university, stadium,
harbor, beach, market, town hall, theater, opera, zoo, swimming pool, castle, cathedral,
post office, bank, pharmacy, police station, supermarket, shopping mall, football ground,
art gallery, botanical garden, concert hall, conference center, court house, ferry terminal,
fire station, gas station, golf club, gym, hotel, ice rink, school, tennis club, tower, aquarium,
bakery, bookshop, cinema, embassy, lake, lighthouse, old town, planetarium
""".replace("\n", " ").split(",")
)

PLACE_VARIANTS: dict[str, tuple[str, ...]] = {
    "the city center": ("the city centre", "the center", "the centre", "downtown"),
    "the harbor": ("the harbour",),
    "the theater": ("the theatre",),
    "the conference center": ("the conference centre",),
    "the train station": ("the railway station",),
    "the court house": ("the courthouse",),
    "the bookshop": ("the book shop",),
    "the shopping mall": ("the mall",),
    "the cinema": ("the movie theater",),
}
