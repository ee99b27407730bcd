"""The sentence patterns of the town, in Korean and in English, side by side.

A line has a name, the Korean side and the English side, with bars between them (a line that ends in
a bar goes on in the next one). Behind the name may stand what kind of verb or place is asked for:
"+t" one with this flag, "-!" one without it (`companion.data.town.verbs`), "@i" a place indoors,
"@u" another person than an elder relative, of whom one speaks with more respect (뵙다, 드리다). In
braces stand slots, with a form after the colon: a particle for Korean nouns, a tense or connection
for verbs, an article for English nouns. Other words carry their part of speech after a slash. What
the letters mean:

=====================  =================================================================
S, U                   two people, or roles such as the king, or my mother
A, B                   two people with names
v, o, P                an action, its object, a place where it is done; also v2, o2
w, Q, how              an activity without object, and its place; how it is done
h, h1, h2              what is done towards people: somewhere, at a time, as a state
g, x                   a verb of giving, what is given
D, E, L                a place to go to, another one, a place with a name
Di, Dr, Db, Dz         a place indoors, one for things, a building, where animals (z1) are
T, T1, F, H, d         a past time, a day, a future time, a frequency, a degree
n, a, b, but           a noun, an adjective for it, another like it, another unlike it
i, j                   what is chosen, and what it is like
p, p1                  an adjective that describes people, one for a state that passes
c, to, tl, tL          a colour, a thing with a colour, a lost one with and without it
t, ts, x1              a thing to buy, a small one, one that is somewhere
k, V, e, ej            a number, a vehicle, an event, one in which one takes part
y, Y, z                food to buy, food that is sold, an animal
u, q, s                how it tastes; how the weather, how a service is
G, N, N2               where one can buy, where one is served, where it is sold
f, r, l, m             furniture, where it is; what one likes; what is compared
J, K, R, R2, M, W      somebody with work, two relatives, a man or woman, a grown one,
                       royalty, a voice
=====================  =================================================================

Used first in book/sequences/tokenization.ipynb.
"""

from __future__ import annotations

PATTERNS = """
act | {S:은} {o:을} {v:past} | {S} {v:past} {o:a}
act_place | {S:은} {P:에서} {o:을} {v:past} | {S} {v:past} {o:a} {P:at}
act_time | {S:은} {T} {o:을} {v:past} | {S} {v:past} {o:a} {T}
act_place_time | {S:은} {T} {P:에서} {o:을} {v:past} | {S} {v:past} {o:a} {P:at} {T}
act_future -!s | {S:은} {F} {P:에서} {o:을} {v:future} | {S} will/AUX {v:base} {o:a} {P:at} {F}
act_now -! | {S:은} 지금/ADV {P:에서} {o:을} {v:progressive} |
    {S} is/AUX {v:ing} {o:a} {P:at} now/ADV
act_often -!od | {S:은} {H} {o:을} {v:present} | {S} {H} {v:s} {o:plural}
act_often_place -!osd | {S:은} {H} {P:에서} {o:을} {v:present} | {S} {H} {v:s} {o:plural} {P:at}
act_not -! | {S:은} {T} {o:을} {v:not_past} | {S} did/AUX not/PART {v:base} {o:a} {T}
act_never -!o | {S:은} {o:을} {v:not_present} | {S} does/AUX not/PART {v:base} {o:plural}
act_wish -! | {S:은} {o:을} {v:wish} | {S} wants/VERB to/PART {v:base} {o:a}
act_with +t | {S:은} {U:과} 함께/ADV {o:을} {v:past} | {S} {v:past} {o:a} with/ADP {U}
act_with_place +t | {S:은} {U:과} 함께/ADV {P:에서} {o:을} {v:past} |
    {S} {v:past} {o:a} with/ADP {U} {P:at}
act_for +f | {S:은} {U:을} 위해/VERB {o:을} {v:past} | {S} {v:past} {o:a} for/ADP {U}
act_twice | {S:은} {o:을} {v:and} {o2:을} {v2:past} |
    {S} {v:past} {o:a} and/CCONJ {v2:past} {o2:a}
act_but_not -! | {S:은} {o:을} {v:past_but} {U:은} {v:not_past} |
    {S} {v:past} {o:a} ,/PUNCT but/CCONJ {U} did/AUX not/PART
act_before +b | {S:은} {o:을} {v:before} 손을/NOUN {씻다:past} |
    {S} washed/VERB {S:his} hands/NOUN before/SCONJ {v:doing} {o:a}
act_if_rain +r @i | 비가/NOUN {오다:if} {S:은} {P:에서} {o:을} {v:present} |
    when/SCONJ it/PRON rains/VERB ,/PUNCT {S} {v:s} {o:a} {P:at}
act_purpose +p | {S:은} {o:을} {v:to} {P:에} {가다:past} |
    {S} went/VERB {P:to} to/PART {v:base} {o:a}
act_described | {S:은} {j:adnominal} {i:을} {고르다:past} | {S} chose/VERB {i:a+j}
act_colour | {S:은} {T} {c:adnominal} {to:을} {사다:past} | {S} bought/VERB {to:a+c} {T}
act_colour_lost | {S:은} {D:에서} {c:adnominal} {tl:을} {잃어버리다:past} |
    {S} lost/VERB {tl:a+c} {D:at}
act_count | {S:은} {G:에서} {y} {k:을} {사다:past} | {S} bought/VERB {k} {y:plural} {G:at}
act_count_see | {S:은} {T1} {z} {k:을} {보다:past} | {S} saw/VERB {k} {z:plural} {T1}
act_said | {U:은} {S:이} {o:을} {v:said} {말하다:past} |
    {U} said/VERB that/SCONJ {S} had/AUX {v:participle} {o:a}
do | {S:은} {Q:에서} {w:past} | {S} {w:past} {Q:at}
do_time | {S:은} {T} {Q:에서} {w:past} | {S} {w:past} {Q:at} {T}
do_now -! | {S:은} 지금/ADV {Q:에서} {w:progressive} | {S} is/AUX {w:ing} {Q:at} now/ADV
do_often -!u | {S:은} {H} {Q:에서} {w:present} | {S} {H} {w:s} {Q:at}
do_future -!u | {S:은} {F} {Q:에서} {w:future} | {S} will/AUX {w:base} {Q:at} {F}
do_not -!u | {S:은} {T} {Q:에서} {w:not_past} | {S} did/AUX not/PART {w:base} {Q:at} {T}
do_together +t | {S:과} {U:은} {Q:에서} 함께/ADV {w:past} |
    {S} and/CCONJ {U} {w:past} together/ADV {Q:at}
do_wish -!u | {S:은} {Q:에서} {w:wish} | {S} wants/VERB to/PART {w:base} {Q:at}
do_how +a | {S:은} {Q:에서} {how} {w:past} | {S} {w:past} {how} {Q:at}
do_so | {S:은} {p:so} {Q:에서} {w:past} |
    {S} was/AUX {p} ,/PUNCT so/CCONJ {S:he} {w:past} {Q:at}
do_weather | 날씨가/NOUN {q:so} {S:은} {Q:에서} {w:past} |
    the/DET weather/NOUN was/AUX {q} ,/PUNCT so/CCONJ {S} {w:past} {Q:at}
go | {S:은} {T1} {D:에} {가다:past} | {S} went/VERB {D:to} {T1}
go_future | {S:은} {F} {D:에} {가다:future} | {S} will/AUX go/VERB {D:to} {F}
go_vehicle | {S:은} {V:을} {타다:and} {D:에} {가다:past} | {S} went/VERB {D:to} by/ADP {V:bare}
go_from | {S:은} {D:에서} {E:으로} {가다:past} | {S} went/VERB from/ADP {D:the} {E:to}
go_arrive | {S:은} {T1} {D:에} {도착하다:past} | {S} arrived/VERB {D:arrive} {T1}
go_leave | {S:은} {T1} {Db:에서} 일찍/ADV {나오다:past} |
    {S} left/VERB {Db:the} early/ADV {T1}
go_with | {S:은} {U:과} 함께/ADV {D:에} {가다:past} | {S} went/VERB {D:to} with/ADP {U}
go_walk | {S:은} {D:까지} {걸어가다:past} | {S} walked/VERB {D:to}
go_landmark | {S:은} {T} {L:에} {가다:past} | {S} went/VERB to/ADP {L} {T}
do_landmark | {A:은} {L:에서} {B:을} {만나다:past} | {A} met/VERB {B} at/ADP {L}
landmark_near | {L:은} {Db} 옆에/NOUN {있다:present} | {L} is/AUX next/ADV to/ADP {Db:the}
where | {x1:은} {Dr:에} {있다:present} | {x1:the} {x1:is} {Dr:at}
where_furniture | {ts:은} {f} {r} {있다:present} | {ts:the} {ts:is} {r} {f:the}
where_many | {Dz:에는} {z1:이} {많다:present} | there/PRON are/AUX many/ADJ {z1:plural} {Dz:at}
where_none | {Di:에는} {ts:이} {없다:present} | there/PRON {ts:is} no/DET {ts:bare} {Di:at}
give @u | {S:은} {U:에게} {x:을} {g:past} | {S} {g:past} {x:a} to/ADP {U}
give_time @u | {S:은} {T} {U:에게} {x:을} {g:past} | {S} {g:past} {x:a} to/ADP {U} {T}
give_future @u | {S:은} {F} {U:에게} {x:을} {g:future} | {S} will/AUX {g:base} {x:a} to/ADP {U} {F}
receive @u | {S:은} {U:에게서} {x:을} {받다:past} | {S} received/VERB {x:a} from/ADP {U}
meet @u | {S:은} {D:에서} {U:을} {h:past} | {S} {h:past} {U} {D:at}
meet_time @u | {S:은} {T} {U:을} {h1:past} | {S} {h1:past} {U} {T}
meet_wish @u | {S:은} {U:을} {h1:wish} | {S} wants/VERB to/PART {h1:base} {U}
feel @u | {S:은} {U:을} {h2:present} | {S} {h2:s} {U}
feel_not @u | {S:은} {U:을} {h2:not_present} | {S} does/AUX not/PART {h2:base} {U}
is_so | {n:은} {d} {a:past} | {n:the} {n:was} {d} {a}
is_now | 이/DET {n:은} {d} {a:present} | {n:this} {n:is} {d} {a}
is_not | {n:은} {a:not_past} | {n:the} {n:was} not/PART {a}
is_both | {n:은} {a:and} {b:past} | {n:the} {n:was} {a} and/CCONJ {b}
is_but | {n:은} {a:past_but} {but:past} | {n:the} {n:was} {a} but/CCONJ {but}
is_more | {n:이} {m:보다} 더/ADV {a:present} | {n:the} {n:is} {a:more} than/ADP {m:the}
food_place | {N2:에서} 파는/VERB {Y:은} {d} {u:past} |
    {Y:the_many} sold/VERB {N2:at} {Y:were} {d} {u}
service | {N:은} 서비스가/NOUN {d} {s:past} | the/DET service/NOUN {N:at} was/AUX {d} {s}
weather | {T1} 날씨가/NOUN {q:past} | the/DET weather/NOUN was/AUX {q} {T1}
weather_degree | 오늘은/NOUN 날씨가/NOUN {d} {q:present} |
    the/DET weather/NOUN is/AUX {d} {q} today/NOUN
person_is | {S:은} {d} {p:present} | {S} is/AUX {d} {p}
person_was | {S:은} {T1} {d} {p1:past} | {S} was/AUX {d} {p1} {T1}
person_not | {S:은} {p:not_present} | {S} is/AUX not/PART {p}
person_thought | {S:은} {U:이} {p:said} {생각하다:present} |
    {S} thinks/VERB that/SCONJ {U} is/AUX {p}
job | {J:은} {J:job_is} | {J} is/AUX {J:job}
age | {A:은} {A:age} | {A} is/AUX {A:years}
kin | {K:은} {K:kin_is} | {K} is/AUX {K:kin}
likes | {S:은} {l:을} {좋아하다:present} | {S} likes/VERB {l:plural}
dislikes | {S:은} {l:을} {싫어하다:present} | {S} dislikes/VERB {l:plural}
plays | {R:은} 합창단에서/NOUN {W:을} {맡다:progressive} |
    {R} sings/VERB {W} in/ADP the/DET choir/NOUN
is_man | {R2:은} {R2:man} | {R2} is/AUX {R2:a_man}
bath | {R:은} {R:bath} {들어가다:past} | {R} entered/VERB the/DET {R:bath_en} bath/NOUN
pronoun | {R:은} 자신을/PRON 위해/VERB {t:을} {사다:past} | {R} bought/VERB {t:a} for/ADP {R:self}
crown | {M:은} 왕관을/NOUN {쓰다:and} {D:에} {오다:past} |
    {M} came/VERB {D:to} wearing/VERB a/DET crown/NOUN
palace | {M:은} 인형/NOUN 궁전에/NOUN {살다:present} |
    {M} lives/VERB in/ADP the/DET puppet/NOUN palace/NOUN
event_date | {e:은} {y1:월} {y2:일에} {열리다:present} |
    {e:the} takes/VERB place/NOUN on/ADP {y1} {y2}
event_place | {e:은} {L:에서} {열리다:past} | {e:the} took/VERB place/NOUN at/ADP {L}
event_join | {S:은} {T} {ej:에} {참가하다:past} | {S} took/VERB part/NOUN in/ADP {ej:the} {T}
lost_sad | {S:은} {tL:을} {잃어버리다:and} {슬퍼하다:past} |
    {S} lost/VERB {tL:a} and/CCONJ was/AUX sad/ADJ
"""
