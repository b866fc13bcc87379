"""Words and phrases by which the policy reads requests, apart from those of single intents."""

from cascadence.data_manifests.assistant.numbers import NUMBER_OF_WORDS


def _words(text: str) -> frozenset[str]:
    """Split a text into its words."""
    return frozenset(text.split())


def _phrases(text: str) -> frozenset[str]:
    """Split a comma-separated listing into its phrases."""
    return frozenset(" ".join(phrase.split()) for phrase in text.split(","))


STOP_WORDS = _words("""
a an the my your our his her its their this that these those some any i you he she it we they me
him us them am is are was were be been being do does did have has had will would can could shall
should may might must to of in on at for from with by and or but so if then than as up into about
please kindly thanks thank hey hi hello ok okay alright well um uh er erm hmm ah oh just now maybe
like want need let lets get give go going make put set start tell show said say know think mean
sure possible would wish right here there again too also really very morning evening afternoon
sharp oclock pm am no not yes yeah actually sorry wait instead rather s t m ll re ve d | who what
which how when where
""")
"""Words that say nothing about what is wanted."""

BLOCK_WORDS = _words("""
why whose who explain invented inventor invent history joke story poem recipe president capital
population translate times minus divided multiply multiplied square definition define meaning
century war planet expensive cost costs price
""")
"""Words that the domain never uses: with them, a request is about something else."""

BLOCK_PAIRS = _words("""
how_do how_does how_did how_many how_much how_long how_old how_far how_big how_tall what_is
what_does what_did what_was when_did when_does where_did where_is is_it
""")
"""Openings of questions that only the intents whose phrasings have them answer."""

NUMERALS = frozenset(word for words in NUMBER_OF_WORDS for word in words.split())
"""All words that numbers up to a hundred are made of."""

QUESTION_WORDS = _words("what who which why how when where")
PERSON_PRONOUNS = _words("him her them he she")

# Cue words behind what an ASR writes for them; tried only where a request is not complete without.
_REPAIRS = """
weather:whether,wether lights:lice,lites,lite,rights alarm:alarmed remind:remained,remine,mined
add:ad,had timer:timor,tamer,dime,time dim:dem call:cole,col,coal,caul flight:flite,fight
blinds:blines,lines book:look play:plate,plays,place send:sent taxi:taxes sum:some cab:cap
lock:lok,log remove:removed vacuum:vacume,band wake:wick turn:tern,torn switch:witch off:of
reserve:rate
"""
REPAIRS: dict[str, str] = {
    heard: meant
    for meant, forms in (entry.split(":") for entry in _REPAIRS.split())
    for heard in forms.split(",")
}
"""What is meant, by what is heard."""

_NUMBER_SOUNDS = """
four:for,fore two:to,too one:won eight:ate three:tree,free six:sex,sics ten:tin,then nine:nein,night
five:fife seven:heaven
"""
SOUNDS_LIKE_NUMBER: dict[str, str] = {
    heard: number
    for number, forms in (entry.split(":") for entry in _NUMBER_SOUNDS.split())
    for heard in forms.split(",")
}
"""Numbers, by what is heard; tried only beside one of the words below."""

BEFORE_NUMBER = _words("at for channel volume level plus number past order by around")
AFTER_NUMBER = _words("""
minutes minute seconds hours hour people persons guests percent degrees nights oclock pm am plus
""")

FIRST_OF_CORRECTION = _words("no nope nah not actually sorry wait oops correction know")
CORRECTION_PHRASES = _phrases("""
i meant, i mean, i said, make it, make that, change it, change that, change to, instead, rather,
no not, my mistake
""")
ELLIPSIS_PHRASES = _phrases("""
what about, how about, the same, same for, same on, same in, same to, same with, and, also, too,
as well, another one, now, do it, do that, one more, again
""")
REPEAT_PHRASES = _phrases("""
what did you say, what did you just say, say that again, say it again, say again, repeat that,
repeat it, repeat please, please repeat, can you repeat, could you repeat, repeat what you said,
come again, once more, one more time, pardon, pardon me, what was that, i did not hear you,
i did not hear that, i did not get that, i did not catch that
""")
CANCEL_PHRASES = _phrases("""
cancel, cancel that, cancel it, cancel my request, never mind, nevermind, forget it, forget that,
forget about it, undo, undo that, undo it, do not do that, scrap that, take that back, stop that
""")
POLITE_WORDS = _words("""
please okay ok sorry um uh hey no oh wait just actually now and you for me could can i again all
""")
"""Words that may surround a whole phrase without changing it."""

FILLER_WORDS = _words("""
meant mean said same thing make change what about how also well another instead rather mistake one
please as do more correction oops nope nah people again better second yes only prefer think way be
other name under channel sorry plus by persons guests color colour lights light try use take call it
""")
"""Words that may surround a value which changes a request, or answers a question."""

PHRASE_WORDS = frozenset(
    word
    for group in (
        FIRST_OF_CORRECTION,
        CORRECTION_PHRASES,
        ELLIPSIS_PHRASES,
        REPEAT_PHRASES,
        CANCEL_PHRASES,
        POLITE_WORDS,
        PERSON_PRONOUNS,
        FILLER_WORDS,
    )
    for phrase in group
    for word in phrase.split()
)
"""All words of the phrases."""
