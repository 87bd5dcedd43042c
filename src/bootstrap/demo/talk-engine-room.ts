/** Sample conversations of the community "Engine room". `script.ts` describes the form. */

export const GENERAL = `
@ -6d 09:04
Ada: Good morning everybody. The map of the bike stations is live for all test riders since midnight.
Grace: Morning! I rode in with it. Station *Harbour East* shows 14 bikes, there are 9. Is the count cached?
Ada ^1: It is. 60 seconds in the app and another 60 at the edge, so up to two minutes old.
Linus: Two minutes is a long time when a train arrives.
Margaret: When the 8:15 comes in, Harbour East goes from 20 to 0 in about ninety seconds. I once timed it.
Linus ^1: Of course you did.
Margaret: :-) It was raining and I was the twenty-first.
Ada: Then the edge cache goes. I'll open a change.
Grace: Keep a few seconds, please. The database had a hard time in March without any.
Ada: 5 seconds in the app, none at the edge?
Grace: Deal.
@ -6d 11:30
Ada: The change is up: https://example.org/changes/1841
Linus: Reviewing.
Linus: One question: why is the time to live a string?
Ada ^1: Because I typed it into the wrong field of the form. Thank you, fixed.
Ada edit 1: Because I typed it into the wrong field of the form. Fixed, and there is a test now.
Linus: Approved.
Margaret: Should this go out before lunch? The lunch peak is the best test there is.
Grace: Yes. I watch the graphs.
@ -6d 12:20
Grace: It's out. Counts follow within 5 seconds.
Grace picture: requests-a-second.png
Grace: Left of the gap is with the cache, right of it without. About 30 % more requests, well within what the database takes.
Margaret ^2: That dip in the middle, is it the release?
Grace ^1: Yes, one restart each. No request was lost, the clients came back and went on from their last number.
Margaret: I like boring releases.
@ -5d 09:10
Linus: Has anybody seen riders complain about the unlock button? Support has three tickets this morning.
Ada: Which phones?
Linus: All three are on the same model with the large font switched on. The button is below the fold.
Ada: Ouch. So they can't unlock at all?
Linus: They can scroll, but nothing says so.
Margaret: Whatever is needed to ride must be visible without scrolling, at every font size. Let's make that a rule.
Ada ^1: +1
Grace: +1, and a test in the browser at 200 %.
Linus: I'll take it.
@ -5d 15:42
Linus: The button now sticks to the bottom edge. Screenshots are in the ticket.
Ada: Looks good. Does it still leave room for the keyboard?
Linus: There is no keyboard on that screen.
Ada ^1: There is, in the promo code sheet.
Linus: …
Linus: Back in ten minutes.
@ -5d 16:20
Linus: Promo code sheet fixed as well. I had never seen that sheet in my life.
Margaret: Nobody has. The last promo code was in 2024.
@ -4d 09:02
Margaret: Reminder: the city council demo is **the day after tomorrow at 14:00**. I need three things that work without me crossing my fingers.
Ada: 1. the live map⏎2. unlocking with a flat data connection⏎3. the chat between rider and support
Margaret ^1: Number 2 will impress them most. The tunnel at the central station is what they ask about each time.
Grace: For number 3 I'd show what happens when I pull the plug of one server. Nobody else dares.
Margaret: Will it survive?
Grace: It's the reason to show it.
Linus: Let's rehearse tomorrow then, with the plug.
Margaret: Booked. Tomorrow at ten.
@ -4d 13:15
Ada: Does somebody remember how we number the trips? I get holes after a rollback.
Grace: From a sequence of the database, so holes are normal there. If you need none, number them when they are *stored*, not when they are *begun*:⏎\`\`\`sql⏎insert into trip (number, rider)⏎select coalesce(max(number), 0) + 1, :rider from trip where station = :station⏎\`\`\`
Ada ^1: And two at once?
Grace: A unique index on \`(station, number)\`, and the second one tries again.
Ada: Nice and simple. Thank you.
@ -4d 17:05
Linus: The build is red on main, is that me?
Linus: It is me.
Linus: Green again. A test used the time zone of my laptop.
Margaret ^3: It's always the time zone.
Ada: Except when it's DNS.
@ -3d 09:25
Grace: Rehearsal at ten in the small room. I bring the plug.
Margaret: I bring croissants.
Linus: I bring an appetite.
@ -3d 11:02
Margaret: Notes of the rehearsal:⏎- the map took 3 s on the projector's Wi-Fi, we preload it⏎- the tunnel demo is perfect⏎- pulling the plug: the banner came, four messages waited, all four arrived in order when the server was back
Grace: And none twice. I counted.
Ada: Why were there four? I sent three.
Linus: One was mine. I wrote "is this thing on?"
Ada ^1: That explains the look on Margaret's face.
Margaret: The council will see the same face tomorrow if anybody does that again.
@ -3d 14:30
Ada: Preloading is in. 0.6 s on the projector now.
Margaret: Wonderful.
Linus file: rehearsal-checklist.md
Linus: The checklist, so that nobody has to remember anything.
Grace ^2: "7. Linus does not type." Fair.
@ -2d 10:12
Ada: Good luck to us all. Everything is on the second laptop too.
Margaret: Doors open at 13:45.
@ -2d 15:20
Margaret: THEY LOVED IT
Margaret: The mayor asked whether she may pull the plug herself. She did. Twice.
Grace: I have never been so proud of a log file.
Linus: And nobody typed.
Ada: 🎉🎉🎉
Margaret: We get the eastern districts from spring on. 41 new stations.
Ada ^1: Forty-one! That doubles the map.
Grace: I'll run the numbers for the database tonight. No, tomorrow. Tomorrow.
Margaret: Tomorrow, please.
@ -1d 09:08
Grace: Numbers: with 41 stations more we're at 55 % of what one server takes at the morning peak. Two servers give us a year.
Grace edit 1: Numbers: with 41 more stations we are at 55 % of what one server takes in the morning peak. Two servers give us at least a year, and one may fail.
Linus: Does the second one cost us anything in code?
Grace: A line of configuration. Sessions resume wherever they arrive.
Ada: What about messages that are under way when one dies?
Grace ^1: They carry a nonce. Sent again, they are stored once, on whichever server they land.
Margaret: I understood half of that and I'm happy about all of it.
@ -1d 13:40
Linus: Small thing: station names with an apostrophe break the search. \`St. Mary's\` finds nothing.
Ada: On it. Found it. We escape them twice.
Ada: Deployed to the test stage, please try "Mary".
Linus: Works. "O'Connell Street" too.
@ -1d 16:55
Margaret: Before I forget: new colleagues start next week, please write down what you wish somebody had told you on your first day.
Linus: The coffee machine needs the *second* button.
Grace: Which graphs to look at first, and that it's fine to ask twice.
Ada: Where the checklist is. It's above in this channel, for one.
@ -52m
Ada: Morning! The map has 12 new test stations in the east.
Linus: I see 11.
Ada: Zoom out. One is on the island.
Linus ^1: Found it. Who cycles to an island?
Margaret: There is a ferry, and people are very fond of it.
Grace: Release 2.4 goes out today if nobody objects. Details in #release.
Margaret: No objection.
Linus: None.
Ada: Go!
`;

export const RELEASE = `
@ -3d 15:00
Grace: Branch for 2.4 is cut: \`release/2.4\`. Only fixes from now on.
Ada: What's in?
Grace: Live counts without the edge cache, the sticky unlock button, search with apostrophes, preloading of the map.
Ada: And the new receipt texts?
Grace ^1: Not translated yet, so 2.5.
Ada: Agreed.
@ -2d 17:40
Grace: First candidate runs on the test stage since this morning. One warning in the log: a client asked for events that were removed long ago.
Ada: What did it get?
Grace: A reset, and it read the room again. As it should be.
Ada: Then the warning should be an info.
Grace ^1: Changed.
@ -1d 10:15
Ada: I ran the storm overnight. Two servers, ten minutes, something killed every five seconds.
Ada: Lost 0, twice 0, out of order 0.
Grace: That never gets old.
Ada picture: storm-latency.png
Ada: Delivery times. The peaks are the kills.
Grace: 900 ms in the worst second. Reconnects?
Ada ^1: Mostly back-off. They are spread on purpose, otherwise all clients come back at the same moment.
@ -1d 17:10
Grace: Second candidate. Changes: log level, and a typo in the German texts.
Ada: Is the way back tested?
Grace: Yes. 2.3 reads what 2.4 wrote. It skips the kinds it doesn't know and keeps their numbers.
Ada: Good. Then tomorrow?
Grace: Tomorrow after the morning peak.
@ -40m
Grace: Starting. One server of two.
Grace: First one is on 2.4, draining took 8 s. No errors.
Ada: Clients moved over, I see 412 resumes and no reset.
Grace: Second one.
Grace delete 1
Grace: Second one is on 2.4 too.
Ada: Error rate flat, Kafka lag 0.
Grace: Five minutes of watching, then I call it done.
Ada: ☕
@ -9m
Grace: **2.4 is out.** Thank you!
Ada: 👏 I'll tell #general.
`;
