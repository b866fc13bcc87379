"""Intents about going out: weather, tables, taxis, flights, hotels, food, directions."""

from cascadence.data_manifests.assistant.schema import Intent, Slot

_TIME = Slot("time", "time", "At what time?", "at {time}", "{time}", ("at", "by", "around"))
_DAY = Slot("day", "day", "On which day?", "{day:on}", "{day}")
_CITY = Slot("city", "city", "In which city?", "in {city}", "{city}")

INTENTS: tuple[Intent, ...] = (
    Intent(
        name="weather",
        slots=(_CITY, Slot("day", "day", "For which day?", "{day:on}", "{day}")),
        requests=(
            "What is the weather like in {city} {day:on}?",
            "What will the weather be like in {city} {day:on}?",
            "Will it rain in {city} {day:on}?",
            "Tell me the weather for {city} {day:on}.",
            "I need the forecast for {city} {day:on}.",
            "Do I need an umbrella in {city} {day:on}?",
            "How is the weather in {city} {day:on}?",
            "Weather in {city} {day:on}, please.",
            "Is it going to be sunny in {city} {day:on}?",
            "Could you show me the forecast for {city} {day:on}?",
        ),
        reply="Here is the weather in {city} {day:on}.",
        cues=(
            "weather|forecast",
            "rain|raining|umbrella|sunny|snow|cloudy|windy|sunshine|rainy @city",
            "rain|umbrella|sunny|snow|cloudy|windy|rainy @day",
            "warm|cold|hot @city @day",
        ),
        blocks=frozenset({"why", "song", "sounds", "play"}),
        partial=(
            ("city", "What will the weather be like {day:on}?"),
            ("day", "What is the weather like in {city}?"),
            ("day", "Tell me the weather for {city}."),
        ),
        anaphoric=(
            ("city", "What is the weather like there {day:on}?"),
            ("city", "Will it rain there {day:on}?"),
            ("day", "What is the weather like in {city} on the same day?"),
        ),
        vocabulary=frozenset({"like", "going", "temperature"}),
    ),
    Intent(
        name="book_table",
        slots=(
            Slot(
                "people", "people", "For how many people?", "for {people} people", "{people} people"
            ),
            _TIME,
            Slot(
                "name",
                "name",
                "Under which name?",
                "for {name}",
                "{name}",
                ("for", "name", "under", "of"),
            ),
        ),
        requests=(
            "Book a table for {people} at {time} for {name}.",
            "Book a table for {people} at {time} under the name {name}.",
            "Reserve a table at {time} for {people} people, the name is {name}.",
            "I would like a table for {people} at {time}, under {name}.",
            "Could you book a table for {people} people at {time} for {name}?",
            "Table for {people} at {time} under {name}, please.",
            "We are {people} people and need a table at {time} for {name}.",
            "Please reserve a table for {people} at {time} in the name of {name}.",
        ),
        reply="Your table for {people} is booked at {time} for {name}.",
        cues=("table @people", "book|reserve|table table|restaurant @time", "table", "reservation"),
        blocks=frozenset({"set", "tennis"}),
        partial=(
            ("name", "Book a table for {people} at {time}."),
            ("time", "Book a table for {people} people under the name {name}."),
            ("people", "Reserve a table at {time} for {name}."),
        ),
        anaphoric=(("time", "Book a table for {people} at the same time for {name}."),),
        vocabulary=frozenset(
            {"dinner", "lunch", "restaurant", "party", "guests", "persons", "seats"}
        ),
    ),
    Intent(
        name="book_taxi",
        slots=(
            Slot("place", "place", "Where to?", "to {place}", "{place}", ("to",)),
            _TIME,
        ),
        requests=(
            "Book a taxi to {place} at {time}.",
            "I need a taxi to {place} at {time}.",
            "Order a taxi for {time} to {place}.",
            "Get me a cab to {place} at {time}, please.",
            "Could you call a taxi to {place} for {time}?",
            "Please send a taxi at {time}, I have to go to {place}.",
            "A taxi to {place} at {time}, please.",
            "Can I have a cab at {time} to {place}?",
        ),
        reply="Your taxi to {place} comes at {time}.",
        cues=("taxi|taxis|cab|uber",),
        blocks=frozenset({"by", "way", "directions"}),
        partial=(
            ("time", "I need a taxi to {place}."),
            ("time", "Book a taxi to {place}, please."),
            ("place", "I need a taxi at {time}."),
        ),
        anaphoric=(
            ("place", "Book me a taxi there at {time}."),
            ("time", "And a taxi to {place} at the same time."),
        ),
    ),
    Intent(
        name="navigate",
        slots=(
            Slot("place", "place", "Where to?", "to {place}", "{place}", ("to",)),
            Slot("mode", "mode", "How do you want to travel?", "by {mode}", "{mode}", ("by",)),
        ),
        requests=(
            "How do I get to {place} by {mode}?",
            "Show me the way to {place} by {mode}.",
            "Take me to {place} by {mode}.",
            "I want to go to {place} by {mode}.",
            "What is the best way to {place} by {mode}?",
            "Directions to {place} by {mode}, please.",
            "Can you guide me to {place} by {mode}?",
            "Find a route to {place} by {mode}.",
        ),
        reply="Here is the way to {place} by {mode}.",
        cues=(
            "way|route|directions|guide|navigate|get|go|take|reach @place @mode",
            "way|route|directions|guide|navigate @place",
            "directions|navigate|route",
            "how get|reach|go @place",
            "how|way|get|go there @mode",
        ),
        blocks=frozenset({"book", "order", "cab", "taxi"}),
        partial=(("mode", "Show me the way to {place}."), ("mode", "How do I get to {place}?")),
        anaphoric=(("place", "How do I get there by {mode}?"),),
        vocabulary=frozenset({"travel", "best", "fastest"}),
    ),
    Intent(
        name="book_flight",
        slots=(
            Slot(
                "origin",
                "city",
                "From which city?",
                "from {origin}",
                "from {origin}",
                ("from", "leaving"),
            ),
            Slot(
                "destination",
                "city",
                "To which city?",
                "to {destination}",
                "to {destination}",
                ("to", "for", "into", "in"),
            ),
            _DAY,
        ),
        requests=(
            "Book a flight from {origin} to {destination} {day:on}.",
            "I need a flight from {origin} to {destination} {day:on}.",
            "Book me a flight {day:on} from {origin} to {destination}, please.",
            "Could you book a flight to {destination} from {origin} {day:on}?",
            "I want to fly from {origin} to {destination} {day:on}.",
            "Please get me a plane ticket from {origin} to {destination} {day:on}.",
            "{day:on} I have to fly from {origin} to {destination}.",
            "A flight from {origin} to {destination} {day:on}, please.",
        ),
        reply="Your flight from {origin} to {destination} {day:on} is booked.",
        cues=("flight|flights|fly|flying|plane @city", "flight|flights|fly|plane"),
        blocks=frozenset({"mode", "why"}),
        partial=(
            ("day", "Book a flight from {origin} to {destination}."),
            ("origin", "I need a flight to {destination} {day:on}."),
            ("destination", "I need a flight from {origin} {day:on}."),
        ),
        anaphoric=(
            ("destination", "Book a flight there from {origin} {day:on}."),
            ("day", "Book a flight from {origin} to {destination} on the same day."),
        ),
        vocabulary=frozenset({"ticket", "tickets", "plane"}),
    ),
    Intent(
        name="book_hotel",
        slots=(_CITY, Slot("nights", "nights", "For how many nights?", "for {nights}", "{nights}")),
        requests=(
            "Book a hotel in {city} for {nights}.",
            "I need a hotel in {city} for {nights}.",
            "Find me a hotel room in {city} for {nights}, please.",
            "Could you book a room in {city} for {nights}?",
            "We are staying in {city} for {nights} and need a hotel.",
            "Please reserve a hotel in {city} for {nights}.",
            "I want to stay in {city} for {nights}, book a hotel.",
            "Hotel in {city} for {nights}, please.",
        ),
        reply="Your hotel in {city} is booked for {nights}.",
        cues=(
            "hotel|hotels|accommodation",
            "room|stay|staying|book|reserve @city @nights",
            "@city @nights",
        ),
        blocks=frozenset({"taxi", "cab", "way", "directions", "remind", "restaurant"}),
        partial=(
            ("nights", "Book a hotel in {city}."),
            ("nights", "I need a hotel in {city}, please."),
            ("city", "Book a hotel for {nights}."),
        ),
        anaphoric=(
            ("city", "Book a hotel there for {nights}."),
            ("city", "I need a hotel there for {nights}."),
        ),
        vocabulary=frozenset({"room", "rooms", "night", "nights"}),
    ),
    Intent(
        name="find_restaurant",
        slots=(
            Slot("cuisine", "cuisine", "Which kind of food?", "{cuisine}", "{cuisine}"),
            _CITY,
        ),
        requests=(
            "Find a {cuisine} restaurant in {city}.",
            "Where can I eat {cuisine} food in {city}?",
            "I am looking for a {cuisine} restaurant in {city}.",
            "Show me {cuisine} restaurants in {city}, please.",
            "Are there any {cuisine} restaurants in {city}?",
            "Could you find a good {cuisine} restaurant in {city}?",
            "I would like {cuisine} food in {city}.",
            "We want to eat {cuisine} food in {city}.",
        ),
        reply="Here are {cuisine} restaurants in {city}.",
        cues=(
            "restaurant|restaurants|eat|food|dinner|lunch|dine|diner @cuisine",
            "restaurant|restaurants",
            "eat @city",
        ),
        blocks=frozenset({"table", "book", "reserve"}),
        partial=(
            ("city", "Find a {cuisine} restaurant."),
            ("cuisine", "Find a restaurant in {city}."),
        ),
        anaphoric=(
            ("city", "Are there {cuisine} restaurants there?"),
            ("city", "Find a {cuisine} restaurant there."),
        ),
        vocabulary=frozenset({"hungry", "place", "places", "good", "nice", "any"}),
    ),
    Intent(
        name="order_food",
        slots=(
            Slot("dish", "dish", "What would you like to eat?", "{dish}", "{dish}"),
            Slot("count", "count", "How many?", "{count}", "{count}"),
        ),
        requests=(
            "Order {count} {dish}.",
            "I would like {count} {dish}, please.",
            "Could you order {count} {dish} for us?",
            "We want {count} {dish}.",
            "Please get {count} {dish} delivered.",
            "Can I have {count} {dish}?",
            "I am hungry, order {count} {dish}.",
            "{count} {dish}, please.",
        ),
        reply="I ordered {count} {dish} for you.",
        cues=(
            "order|like|want|get|have|hungry|bring|need @dish",
            "@number @dish",
            "hungry|order eat|food",
        ),
        blocks=frozenset({"add", "list", "remove", "taxi", "recipe"}),
        partial=(("count", "Order some {dish}."), ("dish", "I am hungry, order something to eat.")),
        vocabulary=frozenset({"delivered", "deliver", "us"}),
    ),
)
