import type { Words } from './en.ts';

/** The texts of the page in Korean. */
export const ko: Words = {
  locale: 'ko',
  inspector: {
    title: '인스펙터',
    about: '이 페이지와 서버가 주고받는 내용입니다: 번호, 수신 확인, 논스, 이어받기.',
    frames: '프레임',
    cut: '연결 끊기',
    mend: '연결 복구',
    lose: '응답 유실시키기',
    hear: '응답 다시 받기',
    clear: '지우기',
    place: '대화',
    allPlaces: '모든 대화',
    columns: ['시각', '출처', '종류', '대화', '번호', '논스', '설명'],
    from: { page: '페이지', server: '서버', line: '연결' },
    line: {
      open: '연결됨',
      closed: '연결이 끝남',
      cut: '끊음',
      mended: '복구함',
      losing: '응답이 유실됨',
      hearing: '응답이 도착함',
    },
    totals: (sent, received, beats, connections, missed) =>
      `프레임 ${sent}개 보냄, ${received}개 받음, 하트비트 ${beats}개, 연결 ${connections}번, 놓친 이벤트 ${missed}개 이어받음`,
    waiting: '수신 확인 대기 중',
    answered: (ms) => `${ms}ms 만에 처리됨`,
    stored: (seq, ms) => `${ms}ms 만에 ${seq}번으로 저장됨`,
    again: (times) => `${times}번째 전송, 저장은 한 번`,
    resuming: (from) => `${from}번 이후를 모두 요청함`,
    resumed: (missed, ms) => `놓친 ${missed}개를 ${ms}ms 만에 이어받음`,
    own: '내 메시지',
    refused: (code, message) => `거절됨 (${code}): ${message}`,
    lost: '도중에 유실됨',
  },
  switcher: {
    placeholder: '대화방, 채널 또는 이름',
    none: '일치하는 대화가 없습니다.',
  },
};
