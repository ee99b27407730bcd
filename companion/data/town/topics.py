"""What the town's newspapers write about: topic by topic, in Korean and in English.

The first line of a topic names the places where it happens, and the months, if not all of them.
Each other line begins with what it is: ``lead``, the first sentence; ``fact``, which nobody said;
``act``, what somebody does without a word, {who}, and ``adult``, what no child does; ``=``, what an office says; ``+`` and
``-``, what somebody hopes or fears; ``!``, to do what an office asks of people, as a Korean
stem and an English verb; ``office`` and ``anon``, sources that belong to this topic. {day} and
{place} stand for a day and a place; {issue} for a matter of the town, with its particle.

Used first in book/reference/town.md.
"""

# ruff: noqa: E501 - a line of a topic stays a line

from __future__ import annotations

from dataclasses import dataclass, field

from companion.data.town.korean import Predicate

TEXT = """
council : 한빛도서관 솔숲초등학교 은하체육관 물결박물관
lead {day} {place}에서 {issue:에} 대한 주민 회의가 열렸다. | A public meeting about the {issue} took place at {place} on {day}.
lead 주민들은 {day} {place}에 모여 {issue:에} 대해 의논했다. | Residents met at {place} on {day} to discuss the {issue}.
fact 회의에는 주민 50여 명이 참석했다. | About fifty residents attended the meeting.
fact 회의는 두 시간 동안 이어졌다. | The meeting went on for two hours.
fact 다음 회의는 다음 달에 열린다. | The next meeting will be held next month.
act {who:은} 회의장 입구에서 안내문을 나눠 주었다. | {who} handed out leaflets at the entrance.
act {who:은} 회의가 끝난 뒤 의자를 정리했다. | {who} put away the chairs after the meeting.
= {issue:에} 대한 계획을 다음 달에 발표할 것이다 | Plans concerning the {issue} will be published next month
= {issue:에} 대해 주민들의 의견을 더 들을 것이다 | Residents will be asked again about the {issue}
+ {issue:이} 모두에게 중요하다 | Everybody cares about the {issue}
+ {issue:에} 대해 자유롭게 말할 수 있어서 좋았다 | It was good to be able to speak freely about the {issue}
+ 함께 의논하면 {issue:에} 대해서도 의견을 모을 수 있다 | Together the town can reach an agreement on the {issue}
- {issue:에} 대한 설명이 부족했다 | Too little was explained about the {issue}
- {issue:에} 대해 모르는 주민이 아직 많다 | Many residents still know nothing about the {issue}
- {issue:에} 대한 회의가 너무 늦게 열렸다 | The meeting about the {issue} came too late
- {issue:에} 대해 다시 의논해야 한다 | The {issue} must be discussed again
! 다음 회의에도 참석하 | come to the next meeting as well
office 두레시청 | Dure Town Hall
office 주민자치회 | the residents' council
anon 회의에 참석한 한 주민 | a resident who attended the meeting

festival : 달맞이공원 노을언덕 들꽃농장 : 3 4 5
lead {day} {place}에서 봄꽃 축제가 시작됐다. | The spring flower festival began at {place} on {day}.
lead {place}에서 열린 봄꽃 축제가 {day} 막을 내렸다. | The spring flower festival at {place} came to an end on {day}.
fact 축제장 곳곳에서 공연이 펼쳐졌다. | Shows were given all over the festival grounds.
fact 입구의 현수막에는 “봄을 환영합니다”라고 적혀 있었다. | A banner at the entrance read: "Welcome, spring."
fact 축제는 올해로 열 번째를 맞았다. | It was the tenth festival.
adult {who:은} 관람객들에게 따뜻한 차를 무료로 나눠 주었다. | {who} gave the visitors hot tea for free.
act {who:은} 무대에서 전통 노래를 불렀다. | {who} sang traditional songs on the stage.
= 이번 축제에 3천 명이 다녀갔다 | Three thousand people visited the festival
= 내년에는 축제를 이틀 더 연다 | Next year the festival will last two days longer
= 축제장까지 무료 버스를 운행한다 | A free bus runs to the festival grounds
+ 꽃이 작년보다 훨씬 아름답다 | The flowers are much more beautiful than last year
+ 아이들이 정말 즐거워한다 | The children are really enjoying themselves
+ 축제 덕분에 거리에 활기가 넘친다 | The festival has filled the streets with life
- 화장실이 너무 부족하다 | There are far too few toilets
- 음식값이 지나치게 비싸다 | The food is much too expensive
- 주차할 곳을 찾기가 어렵다 | It is hard to find a place to park
! 대중교통을 이용하 | use public transport
office 축제준비위원회 | the festival committee
office 두레시청 | Dure Town Hall
anon 축제장을 찾은 한 관람객 | a visitor to the festival

roadworks : 두레역 새벽시장 햇살병원
lead {place} 앞 도로 공사가 {day} 시작됐다. | Work on the road in front of {place} began on {day}.
lead {day} {place} 앞 도로가 공사로 통제됐다. | The road in front of {place} was closed for repairs on {day}.
fact 공사 구간은 약 500미터다. | The works stretch over about 500 metres.
fact 버스 두 대가 다른 길로 돌아갔다. | Two buses took another road.
fact 안내판에는 “공사 중”이라고 적혀 있었다. | A sign read: "Roadworks."
act {who:은} 어르신들이 길을 건너도록 도왔다. | {who} helped old people across the road.
act {who:은} 무거운 짐을 들고 먼 길을 돌아갔다. | {who} went the long way round with a heavy load.
= 공사가 다음 달 말까지 계속된다 | The work will continue until the end of next month
= 밤에는 공사를 하지 않는다 | There is no work at night
= 낡은 수도관도 함께 교체한다 | Old water pipes are being replaced at the same time
+ 길이 넓어지면 훨씬 안전해질 것이다 | A wider road will be much safer
+ 오래 기다린 공사라 반갑다 | The work is welcome after such a long wait
- 공사 소음 때문에 잠을 잘 수 없다 | The noise makes it impossible to sleep
- 먼지가 너무 많이 난다 | There is far too much dust
- 공사 때문에 손님이 줄었다 | The works have driven customers away
- 돌아가는 길이 너무 멀다 | The detour is much too long
! 다른 길로 돌아가 | take another road
office 두레시청 | Dure Town Hall
office 두레경찰서 | the Dure police
anon 공사장 옆에서 가게를 하는 한 상인 | a shopkeeper next to the roadworks

school : 솔숲초등학교
lead {place:은} {day} 새 급식실을 열었다. | {place} opened a new canteen on {day}.
lead {day} {place}에서 학부모 간담회가 열렸다. | A parents' evening was held at {place} on {day}.
fact 이 학교에는 학생 320명이 다닌다. | The school has 320 pupils.
fact 복도에는 아이들의 그림이 걸려 있었다. | Pictures by the children hung in the corridor.
fact 칠판에는 “밥은 골고루 먹자”라고 적혀 있었다. | The blackboard said: "Eat a bit of everything."
adult {who:은} 학교 도서실에 책 100권을 기증했다. | {who} gave a hundred books to the school library.
adult {who:은} 아침마다 학교 앞에서 교통정리를 한다. | {who} directs the traffic in front of the school every morning.
act {who:은} 교문에서 손님들을 맞이했다. | {who} welcomed the visitors at the school gate.
= 다음 학기부터 방과 후 수업이 두 배로 늘어난다 | There will be twice as many afternoon classes from next term
= 급식에 이 지역 채소를 쓴다 | The canteen uses local vegetables
= 운동장을 주말에도 개방한다 | The playground is open at weekends as well
+ 아이들이 점심시간을 기다린다 | The children look forward to lunch
+ 교실이 밝아져서 공부하기 좋다 | The classrooms are brighter and good to study in
+ 아이들이 책을 더 많이 읽는다 | The children read more books
- 숙제가 너무 많다 | There is too much homework
- 학교 앞길이 여전히 위험하다 | The road in front of the school is still dangerous
- 한 반의 학생 수가 너무 많다 | There are too many pupils in a class
! 학교 앞에서 천천히 운전하 | drive slowly near the school
office 솔숲초등학교 | Solsup School
office 학부모회 | the parents' association
anon 한 학부모 | a parent

hospital : 햇살병원
lead {place:은} {day} 어린이 병동을 새로 열었다. | {place} opened a new children's ward on {day}.
lead {day} {place}에서 무료 건강 검진이 진행됐다. | Free health checks were held at {place} on {day}.
fact 병원은 새 기계 두 대를 들여왔다. | The hospital has bought two new machines.
fact 이날 120명이 병원을 찾았다. | On that day 120 people came to the hospital.
act {who:은} 아침 일찍부터 대기실에서 기다렸다. | {who} had been in the waiting room since early morning.
act {who:은} 입원한 아이들에게 인형극을 보여 주었다. | {who} performed a puppet play for the children in hospital.
= 다음 달부터 토요일에도 진료한다 | Patients will be seen on Saturdays as well from next month
= 독감 환자가 지난달보다 크게 줄었다 | There are far fewer cases of influenza than last month
= 간호사 다섯 명을 새로 뽑을 계획이다 | There are plans to take on five nurses
+ 가까운 곳에 좋은 병원이 있어서 마음이 놓인다 | It is a relief to have a good hospital nearby
+ 의사와 간호사가 모두 친절하다 | The doctors and nurses are all kind
- 진료를 받으려면 두 시간이나 기다려야 한다 | Patients have to wait for as long as two hours
- 밤에는 문을 연 병원이 없다 | No hospital is open at night
- 병원까지 가는 버스가 너무 적다 | Too few buses go to the hospital
! 외출한 뒤에 손을 씻 | wash their hands after going out
office 햇살병원 | Haetsal Hospital
office 두레보건소 | Dure Health Centre
anon 병원을 찾은 한 환자 | a patient at the hospital

theatre : 별빛극장
lead {day} {place}에서 새 음악극이 처음 공연됐다. | A new musical had its first night at {place} on {day}.
lead {place:은} {day} 새 연극을 무대에 올렸다. | {place} put on a new play on {day}.
fact 객석 200개가 모두 찼다. | All 200 seats were taken.
fact 포스터에는 “웃음과 눈물의 두 시간”이라고 쓰여 있었다. | The poster said: "Two hours of laughter and tears."
fact 공연은 이달 말까지 이어진다. | The play runs until the end of the month.
act {who:은} 맨 앞줄에 앉아 공연을 봤다. | {who} watched the play from the front row.
act {who:은} 공연이 끝난 뒤 배우들에게 꽃다발을 건넸다. | {who} gave the actors flowers after the play.
= 첫 공연의 표가 하루 만에 모두 팔렸다 | The first night was sold out within a day
= 다음 주에 공연을 두 번 더 연다 | There will be two more performances next week
+ 배우들의 연기가 훌륭하다 | The acting is excellent
+ 이야기가 마지막까지 재미있다 | The story is interesting to the very end
+ 아이와 함께 보기 좋은 작품이다 | It is a good play to see with children
- 공연이 너무 길다 | The show is too long
- 뒷자리에서는 대사가 잘 들리지 않는다 | The words can hardly be heard at the back
- 표가 너무 비싸다 | The tickets are too expensive
! 공연 10분 전까지 입장하 | be in their seats ten minutes before the play
office 별빛극장 | Byeolbit Theatre
office 두레극단 | the Dure Players
anon 공연을 본 한 관객 | a member of the audience

sports : 은하체육관 달맞이공원
lead {day} {place}에서 두레 농구 대회 결승전이 열렸다. | The final of the Dure basketball cup was played at {place} on {day}.
lead 두레 달리기 대회가 {day} {place}에서 열렸다. | The Dure running race was held at {place} on {day}.
fact 경기장에는 관중 400명이 모였다. | Four hundred spectators came.
fact 응원석에는 “끝까지 힘내라”라는 현수막이 걸렸다. | A banner in the stands read: "Never give up."
act {who:은} 넘어진 선수를 일으켜 주었다. | {who} helped up a competitor who had fallen.
act {who:은} 북을 치며 선수들을 응원했다. | {who} beat a drum to cheer the players on.
= 올해 대회에는 120명이 참가했다 | 120 people took part this year
= 내년에는 어린이 대회도 연다 | There will be a children's event as well next year
+ 선수들이 끝까지 포기하지 않았다 | The players never gave up
+ 올해 경기가 가장 재미있었다 | This year's event was the most exciting of all
+ 온 가족이 함께 즐길 수 있는 대회였다 | It was an event for the whole family
- 경기가 너무 늦게 시작됐다 | The event started much too late
- 체육 시설이 너무 낡았다 | The sports facilities are too old
- 연습할 시간이 부족했다 | There was not enough time to train
! 경기 전에 준비 운동을 하 | warm up before the event
office 두레체육회 | the Dure Sports Club
office 대회 본부 | the organising committee
anon 관중석에 있던 한 시민 | a spectator

weather : 달맞이공원 노을언덕 두레역 : 6 7 8 9
lead {day} 두레에 큰비가 내려 {place} 주변이 물에 잠겼다. | Heavy rain fell on Dure on {day}, and the area around {place} was flooded.
lead {day} 밤새 내린 큰비로 {place} 근처의 길이 끊겼다. | Heavy rain overnight cut off the road near {place} on {day}.
fact 다친 사람은 없었다. | Nobody was hurt.
fact 학교 두 곳이 오후 수업을 취소했다. | Two schools cancelled their afternoon classes.
act {who:은} 밤새 이웃집의 물을 퍼냈다. | {who} bailed water out of a neighbour's house all night.
act {who:은} 대피한 주민들에게 국수를 끓여 주었다. | {who} cooked noodles for those who had left their homes.
= 비가 내일 아침에 그친다 | The rain will stop tomorrow morning
= 이번 비로 도로 세 곳이 막혔다 | Three roads are blocked because of the rain
= 주말부터 날씨가 맑아진다 | The weather will clear up from the weekend
+ 이웃들이 도와줘서 큰 피해는 없다 | Thanks to the neighbours there is no great damage
+ 오랜만에 비가 와서 밭에는 도움이 된다 | The rain is good for the fields after such a long time
- 배수로가 너무 좁다 | The drains are too narrow
- 지하실이 모두 물에 잠겼다 | The whole cellar is under water
- 경보가 너무 늦게 울렸다 | The alarm came too late
! 강가에 가까이 가지 말 | keep away from the river
office 두레기상대 | the Dure weather station
office 두레소방서 | the Dure fire brigade
anon 강가에 사는 한 주민 | a resident who lives by the river

prices : 새벽시장
lead {day} {place}에서 할인 행사가 열렸지만 채소는 여전히 비쌌다. | There was a sale at {place} on {day}, but vegetables were still expensive.
lead 채소값이 크게 오르자 {place}에서는 {day} 할인 행사가 열렸다. | As the price of vegetables had risen sharply, {place} held a sale on {day}.
fact 배추 한 포기는 5천 원에 팔렸다. | A cabbage cost 5,000 won.
fact 가게 앞에는 “오늘만 반값”이라고 쓴 종이가 붙었다. | A note in front of a shop read: "Half price, today only."
act {who:은} 장바구니를 들고 여러 가게를 돌아봤다. | {who} went from shop to shop with a basket.
act {who:은} 남은 채소를 복지관에 기부했다. | {who} gave the vegetables that were left to the community centre.
= 다음 달부터 채소값이 내릴 것이다 | Vegetables will become cheaper from next month
= 과일값이 작년보다 10퍼센트 올랐다 | Fruit costs ten per cent more than last year
= 시장 주차장을 무료로 개방한다 | Parking at the market is free
+ 시장에서 사면 훨씬 싸다 | It is much cheaper to buy at the market
+ 행사 덕분에 시장이 다시 활기를 찾았다 | The event has brought life back to the market
- 채소값이 너무 올라서 김치를 담글 수 없다 | Vegetables have become too expensive to make kimchi
- 물건을 사러 오는 사람이 줄었다 | Fewer people come to buy
- 가게 임대료가 너무 비싸다 | The rents for the shops are too high
! 장바구니를 가져오 | bring their own bags
office 두레상인회 | the Dure traders' association
office 두레시청 | Dure Town Hall
anon 시장에서 채소를 파는 한 상인 | a greengrocer at the market
anon 장을 보러 온 한 손님 | a customer

election : 솔숲초등학교 한빛도서관 은하체육관
lead {day} {place}에서 이장 선거가 치러졌다. | The election of the village head was held at {place} on {day}.
lead {day} {place}에 마련된 투표소에서 이장 선거 투표가 진행됐다. | Residents voted for a new village head at {place} on {day}.
fact 선거에는 세 명이 출마했다. | Three people stood for the post.
fact 벽보에는 “살기 좋은 마을”이라는 구호가 적혀 있었다. | A poster bore the words: "A village worth living in."
act {who:은} 몸이 불편한 이웃을 투표소까지 데려다주었다. | {who} drove a neighbour who cannot walk to the polling station.
act {who:은} 가장 먼저 투표했다. | {who} was the first to vote.
= 투표율이 72퍼센트를 기록했다 | The turnout reached 72 per cent
= 결과를 내일 아침에 발표한다 | The result will be announced tomorrow morning
+ 젊은 후보가 많아서 좋다 | It is good that so many candidates are young
+ 새 이장이 주민의 말을 잘 들을 것이다 | The new village head will listen to the residents
- 후보들의 약속이 너무 비슷하다 | The candidates all promise the same
- 투표소가 너무 멀다 | The polling station is too far away
- 누가 이장이 되어도 바뀌는 것이 없다 | Nothing will change, whoever is elected
! 꼭 투표하 | be sure to vote
office 선거관리위원회 | the election commission
office 두레시청 | Dure Town Hall
anon 투표를 마친 한 주민 | a resident who had just voted

animals : 달맞이공원 들꽃농장 노을언덕
lead {day} {place}에서 잃어버린 강아지 두 마리가 사흘 만에 발견됐다. | Two lost puppies were found at {place} on {day}, after three days.
lead {place} 근처에서 {day} 길 잃은 강아지 세 마리가 구조됐다. | Three stray puppies were rescued near {place} on {day}.
fact 발견 당시 다친 곳은 없었다. | There were no injuries.
fact 전단에는 “우리 강아지를 찾습니다”라고 적혀 있었다. | A leaflet read: "Have you seen our puppies?"
act {who:은} 밤늦게까지 동네를 돌며 강아지를 찾았다. | {who} walked about the neighbourhood until late at night, looking for the puppies.
act {who:은} 강아지에게 물과 먹이를 가져다주었다. | {who} brought the puppies water and food.
= 올해 잃어버린 동물이 작년보다 줄었다 | Fewer animals have been lost this year than last year
= 동물 보호소를 더 넓힐 계획이다 | There are plans for a larger animal shelter
= 건강 상태가 모두 좋다 | All is well with their health
+ 무사히 찾아서 정말 기쁘다 | It is a joy to see such a happy ending
+ 이웃들이 모두 나서서 도왔다 | All the neighbours came out to help
- 목줄을 하지 않은 개가 너무 많다 | Too many dogs run about without a lead
- 차가 많아서 동물에게 위험하다 | There is too much traffic for animals
! 개에게 목줄을 하 | keep their dogs on a lead
office 두레동물병원 | the Dure animal hospital
office 두레소방서 | the Dure fire brigade
anon 강아지를 처음 발견한 한 시민 | a citizen who was the first to see the puppies

fire : 새벽시장 두레역
lead {day} 이른 아침 {place} 근처의 창고에서 불이 났다. | A fire broke out in a warehouse near {place} early on {day}.
lead {day} {place} 옆 식당에서 불이 나 20분 만에 꺼졌다. | A fire in a restaurant next to {place} on {day} was put out within twenty minutes.
fact 다친 사람은 없었다. | Nobody was hurt.
fact 소방차 네 대가 출동했다. | Four fire engines were sent out.
act {who:은} 가장 먼저 119에 신고했다. | {who} was the first to call 119.
act {who:은} 잠자던 이웃들을 깨워 밖으로 데리고 나왔다. | {who} woke the neighbours and led them out.
= 불이 낡은 전선에서 시작됐다 | The fire began in old wiring
= 피해액이 약 2천만 원이다 | The damage comes to about twenty million won
= 정확한 원인을 조사하고 있다 | The exact cause is being looked into
+ 소방관들이 빨리 와서 다행이다 | It is lucky that the firefighters came so fast
+ 이웃 가게에는 불이 옮겨붙지 않았다 | The fire did not reach the neighbouring shops
- 골목이 좁아서 소방차가 들어오기 어렵다 | The lanes are too narrow for fire engines
- 소화기가 있는 가게가 거의 없다 | Hardly any shop has a fire extinguisher
- 연기가 심해서 숨을 쉴 수 없었다 | The smoke made it impossible to breathe
! 전기 기구의 코드를 뽑 | unplug electrical appliances
office 두레소방서 | the Dure fire brigade
office 두레경찰서 | the Dure police
anon 불을 본 한 목격자 | an eyewitness
anon 근처에 사는 한 주민 | a resident from the neighbourhood

museum : 물결박물관 : 1 2 3 4 5
lead {day} {place}에서 옛 사진 전시회가 시작됐다. | An exhibition of old photographs opened at {place} on {day}.
lead {place:은} {day} 두레의 옛 사진을 모아 전시회를 열었다. | {place} opened an exhibition of old photographs of Dure on {day}.
fact 전시회에는 사진 80점이 걸렸다. | Eighty photographs are on display.
fact 벽에는 “기억은 힘이 세다”라는 글귀가 적혀 있었다. | On the wall were the words: "Memory is strong."
fact 입장료는 무료다. | Admission is free.
adult {who:은} 집에 있던 사진 열 장을 내놓았다. | {who} lent ten photographs from home.
act {who:은} 안내 책자를 들고 전시실을 둘러봤다. | {who} walked through the rooms with a guidebook.
= 전시회가 여름까지 계속된다 | The exhibition will go on until summer
= 하루 평균 150명이 전시회를 찾는다 | On average 150 people come each day
+ 옛날 거리를 다시 볼 수 있어서 반갑다 | It is nice to see the old streets again
+ 아이들에게 마을의 역사를 보여 줄 수 있다 | Children can be shown the history of the town
- 설명이 너무 짧다 | The explanations are too short
- 글씨가 작아서 읽기 어렵다 | The letters are too small to read easily
- 전시실이 너무 어둡다 | The rooms are too dark
! 사진에 손을 대지 말 | keep their hands off the photographs
office 물결박물관 | Mulgyeol Museum
office 두레역사회 | the Dure history society
anon 전시회를 둘러본 한 관람객 | a visitor to the exhibition

harvest : 들꽃농장 : 9 10 11
lead {day} {place}에서 사과 수확이 시작됐다. | The apple harvest began at {place} on {day}.
lead {place:은} {day} 주민들을 초대해 사과 따기 행사를 열었다. | {place} invited residents to pick apples on {day}.
fact 농장에서는 60명이 함께 일했다. | Sixty people worked on the farm together.
fact 상자마다 “두레 사과”라는 이름표가 붙었다. | Every box bore the label: "Dure apples."
adult {who:은} 사과 서른 상자를 트럭에 실었다. | {who} loaded thirty boxes of apples onto a truck.
act {who:은} 일하는 사람들에게 새참을 나눠 주었다. | {who} brought a snack to those who were working.
= 올해 수확이 작년보다 20퍼센트 많다 | This year's harvest is 20 per cent larger than last year's
= 사과를 다음 주부터 시장에서 판다 | The apples will be sold at the market from next week
+ 햇볕이 좋아서 사과가 아주 달다 | Thanks to the sun the apples are very sweet
+ 아이들이 흙을 만져 볼 수 있어서 좋다 | It is good for children to get their hands dirty
- 일손이 많이 부족하다 | There are far too few hands to help
- 비가 많이 와서 사과가 작다 | The apples are small because it rained so much
- 새들이 사과를 쪼아 먹는다 | Birds peck at the apples
! 따뜻한 옷을 입 | wear warm clothes
office 들꽃농장 | Deulkkot Farm
office 두레농민회 | the Dure farmers' association
anon 이름을 밝히지 않은 한 농부 | a farmer who did not give a name
"""


@dataclass(frozen=True)
class Statement:
    """What a source says: a plain Korean statement without a full stop, and an English one.

    `sign` is 1 for what is hoped or praised, -1 for what is feared or blamed, 0 for what an office
    reports.
    """

    ko: str
    en: str
    sign: int


@dataclass(frozen=True)
class Topic:
    """Something that newspapers write about; all texts are pairs of Korean and English."""

    name: str
    places: tuple[str, ...]
    lines: dict[str, tuple[tuple[str, str], ...]] = field(compare=False, hash=False)
    months: tuple[int, ...] = tuple(range(1, 13))

    @property
    def statements(self) -> tuple[Statement, ...]:
        """All that is said about it, by offices and by people."""
        signs = {"=": 0, "+": 1, "-": -1}
        return tuple(
            Statement(ko, en, signs[mark]) for mark in signs for ko, en in self.lines.get(mark, ())
        )

    @property
    def appeals(self) -> tuple[tuple[str, Predicate, str], ...]:
        """What offices ask of people: what stands before the Korean verb, the verb, the English."""
        found = []
        for ko, en in self.lines.get("!", ()):
            before, _, stem = ko.rpartition(" ")
            found.append((before, Predicate(stem), en))
        return tuple(found)


def _read(block: str) -> Topic:
    head, *rows = block.strip().splitlines()
    name, places, *months = head.split(" : ")
    lines: dict[str, list[tuple[str, str]]] = {}
    for row in rows:
        mark, _, text = row.partition(" ")
        ko, en = text.split(" | ")
        lines.setdefault(mark, []).append((ko, en))
    all_lines = {mark: tuple(pairs) for mark, pairs in lines.items()}
    season = tuple(map(int, months[0].split())) if months else tuple(range(1, 13))
    return Topic(name, tuple(places.split()), all_lines, season)


TOPICS = tuple(_read(block) for block in TEXT.strip().split("\n\n"))
