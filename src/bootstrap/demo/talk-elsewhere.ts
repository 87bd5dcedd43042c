/**
 * Sample conversations of the communities "Book club" and "서울 사무실". `script.ts` describes the
 * form.
 */

export const READING = `
@ -6d 20:30
Barbara: I finished it. I need somebody to talk to.
Ken: Forty pages to go, no spoilers!
Ada: I finished on the train and missed my station.
Barbara: Which book are we choosing for next month? I'd suggest something shorter.
Ken: *The Periodic Table* by Primo Levi. Each chapter is an element, you can stop anywhere.
Ada ^1: I've wanted to read that for years.
Barbara: A chemist who writes. I'm for it.
@ -4d 21:12
Ken: Done. I'm a little angry at the ending and can't say why.
Barbara: Because he's right.
Ken ^1: …because he's right.
Ada: That's the review. We can close the meeting.
@ -3d 20:05
Barbara: Tomorrow at my place? I have soup.
Ada: I bring bread.
Ken: I bring the book, somebody has to.
Barbara edit 3: Tomorrow at seven, at my place? I have soup.
Ada: Seven is good.
@ -2d 22:17
Ken: Thank you for the soup, Barbara. And for the argument.
Barbara: You'll come round.
Ken: I might, by page 300 of the next one.
Ada: It has 230 pages.
Ken ^1: That's what I mean.
@ -1d 21:40
Ada: I started Levi. The first chapter is hard, then it gets wonderful. Go on after "Argon".
Barbara: Thank you, I was about to give up on the uncles.
Ken: The uncles are the best part!
`;

export const SEOUL = `
@ -5d 10:02
지민: 안녕하세요! 서울 사무실 채널 열었습니다. 편하게 이야기해요.
서연: 안녕하세요, 지민 님. 드디어 한국어 채널이네요 👏
Ada: 안녕하세요. 저는 한국어를 배우는 중이라 천천히 쓸게요.
서연 ^1: 잘 쓰시는데요? 틀려도 괜찮아요.
Grace: 저는 읽기만 할 수 있어요. 답장은 조금 느립니다 :)
지민: 환영합니다!
@ -5d 14:25
지민: 2.4 번역 파일 받았습니다. 문장이 84개네요.
서연: 반씩 나눌까요? 제가 앞쪽 42개를 맡을게요.
지민: 좋아요. 저는 뒤쪽이요.
@ -4d 11:08
서연: "unlock"을 "잠금 해제"로 할까요, "대여 시작"으로 할까요?
지민: 버튼이니까 "대여 시작"이 더 자연스러운 것 같아요.
서연 ^1: 저도 그렇게 생각해요. 그럼 "대여 시작"으로 통일할게요.
Ada: 설명 고마워요. 저는 "잠금 해제"만 알고 있었어요.
지민: 자물쇠 자체를 말할 때는 "잠금 해제"가 맞아요.
@ -3d 16:40
지민: 번역 다 끝났습니다. 확인 부탁드려요.
지민 file: 번역-2.4.md
서연: 볼게요.
서연: 31번 문장 끝에 마침표가 두 개예요.
지민 ^1: 고쳤습니다. 눈이 좋으시네요.
Grace: 긴 문장은 버튼에서 잘리지 않아요?
서연: 작은 화면에서 두 군데가 잘려요. 조금 줄여 볼게요.
@ -2d 09:30
서연: "가까운 대여소를 찾을 수 없습니다" → "가까운 대여소가 없습니다"로 줄였어요.
지민: 훨씬 낫네요.
Ada: 시장님 시연이 잘 끝났어요! 플러그를 두 번 뽑았어요.
지민 ^1: 정말요? 메시지는 다 도착했고요?
Ada: 네, 전부 순서대로요.
서연: 축하드려요 🎉
@ -1d 11:20
지민: 오늘 점심은 냉면 어때요? 사무실이 덥네요.
서연: 아침부터 냉면 생각하셨군요.
지민: 솔직히 어제부터요.
서연 ^1: 그건 인정합니다. 가요, 냉면.
@ -28m
서연: 좋은 아침이에요. 2.4 배포는 오늘인가요?
Grace: 네, 아침 시간이 지나고 시작했어요.
지민: 한국어 화면 확인해 보겠습니다.
지민: 다 괜찮아 보여요. "대여 시작" 버튼도 잘 나옵니다.
Ada: 고맙습니다! 수고하셨어요.
`;
