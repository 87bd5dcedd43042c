/** Sample conversations of the direct rooms. `script.ts` describes the form. */

export const ADA_AND_GRACE = `
@ -6d 18:10
Grace: Do you have a minute for something that is not urgent?
Ada: Always.
Grace: I'd like to give the talk about the plug at the meetup in May. Would you do it with me?
Ada: The one in the old brewery? With the terrible microphone?
Grace ^1: That one. We need two people anyway, one to talk and one to pull.
Ada: Ha. I'm in.
Grace: Great. I'll send them a title.
@ -5d 20:15
Grace: "Nothing lost, nothing twice: what happens when you pull the plug"
Ada: Good. A bit long?
Grace: "Pull the plug"
Ada: Perfect.
Grace: Sent.
@ -4d 19:02
Ada: They answered already. 30 minutes, second slot.
Grace: So soon! When do we have to hand in slides?
Ada: Two weeks before.
Grace: My plan:⏎1. a chat that loses a message, everybody has seen that⏎2. why: the answer got lost, not the message⏎3. numbers, receipts, nonces, resume⏎4. the plug
Ada ^1: I'd begin with 4.
Grace: With the plug?
Ada: Pull it in the first minute, and leave it out while you explain. At the end you put it back in, and everything arrives.
Grace: Oh that's so much better.
Grace: And there are 25 minutes in which it might go wrong.
Ada: That's what makes it a talk.
@ -3d 18:45
Grace: I tried it at home. 25 minutes offline, 40 messages on each side, then back.
Ada: And?
Grace: All 80, in the order of each of us, in 300 ms.
Ada: Did you change anything while it was off? Edits are the interesting part.
Grace ^1: Two edits and a deletion. The deletion of a message that had never been sent is just… gone. It's strangely satisfying.
Ada: :)
@ -2d 16:05
Ada: The mayor pulled the plug TWICE
Grace: I was there!
Ada: I know. I have to say it to somebody again.
Grace: It goes into the talk. First slide: a photo of the mayor with the plug.
Ada: Do we have one?
Grace picture: the-plug.png
Grace: Only this one. It's rather abstract.
Ada ^2: I love it. It looks like a bar chart that fell over.
@ -1d 19:30
Grace: Slides, first version.
Grace file: pull-the-plug.md
Ada: Reading.
Ada: Slide 5, "exactly once": I'd say "stored once". Somebody in the audience will stand up otherwise.
Grace ^1: There is always somebody.
Ada: Last year it was you.
Grace: It was a good question!
Grace: Changed to "stored once, shown once".
@ -35m
Ada: Are you near the office? I forgot my badge.
Grace: Five minutes. Coffee?
Ada: Please. The second button.
Grace ^1: I know about the second button.
Ada: Thank you :)
`;

export const ADA_AND_LINUS = `
@ -4d 17:20
Linus: How did you find the time zone bug so fast?
Ada: I ran the test with \`TZ=Pacific/Kiritimati\`. It's the meanest one, 14 hours ahead.
Linus: I didn't know that one. Thank you.
Ada: For the other end of the world take \`Pacific/Niue\`.
Linus: Put both into the build?
Ada ^1: Yes, please. It costs four seconds.
Linus: Done: https://example.org/changes/1852
@ -2d 18:20
Linus: Sorry again for typing during the rehearsal.
Ada: It made the demo better. We know now that it works with a fourth person.
Linus: I'll say that at my review.
@ -1d 14:02
Linus: The double escaping was mine, from two years ago.
Ada: Two years is long enough. It belongs to all of us now.
Linus ^1: You're kind.
Linus: Can we pair on the search next week? I'd like to throw half of it away.
Ada: Wednesday afternoon?
Linus: Wednesday it is.
`;

export const GRACE_LINUS_MARGARET = `
@ -5d 12:00
Margaret: Lunch? I'm for the noodle place.
Linus: In.
Grace: In ten minutes.
Margaret: Take an umbrella.
@ -3d 12:10
Linus: Noodles again?
Grace: Always.
Margaret: I have the council people until one, go without me. Bring me the green ones?
Linus ^1: With or without peanuts?
Margaret: With!
@ -2d 20:40
Margaret: I'm still smiling.
Grace: You should have seen your face when she pulled it the second time.
Linus: I filmed it.
Margaret ^1: You did not.
Linus: I did not. But I would have.
@ -1d 12:05
Grace: Ada says that the new place next to the ferry is good.
Linus: Is it far?
Grace: Twelve minutes by bike.
Margaret: We're a bike company, I hope we manage.
`;
