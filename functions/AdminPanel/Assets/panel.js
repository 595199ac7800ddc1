// The panel works without this. It adds: times that go on, the reader's own zone, ids that a click copies, and parts that refresh themselves.
'use strict';

const units = [[60, 's', 1], [3600, 'min', 60], [48 * 3600, 'h', 3600], [Infinity, 'd', 86400]];

function ago(date) {
  const seconds = Math.round((Date.now() - date) / 1000);
  if (Math.abs(seconds) < 1) return 'now';
  const [, unit, size] = units.find(([limit]) => Math.abs(seconds) < limit);
  const words = `${Math.round(Math.abs(seconds) / size)} ${unit}`;
  return seconds < 0 ? `in ${words}` : `${words} ago`;
}

function tellTimes() {
  for (const time of document.querySelectorAll('time[datetime]')) {
    const date = new Date(time.dateTime);
    const words = ago(date);
    if (time.textContent !== words) time.textContent = words;
    const exact = `${time.dateTime} (${date.toLocaleString()} here)`;
    if (time.title !== exact) time.title = exact;
  }
}

function offerCopies() {
  for (const code of document.querySelectorAll('code[data-copy]:not([role])')) {
    code.setAttribute('role', 'button');
    code.setAttribute('aria-label', `Copy ${code.textContent}`);
    code.tabIndex = 0;
  }
}

async function copy(code) {
  await navigator.clipboard.writeText(code.dataset.copy);
  code.classList.add('copied');
  setTimeout(() => code.classList.remove('copied'), 1500);
}

document.addEventListener('click', event => {
  const code = event.target.closest('code[data-copy]');
  if (code) copy(code).catch(() => {});
});
document.addEventListener('keydown', event => {
  if ((event.key === 'Enter' || event.key === ' ') && event.target.matches('code[data-copy]')) {
    event.preventDefault();
    copy(event.target).catch(() => {});
  }
});

// Whoever reads, types or selects in a part is not disturbed: it waits for its next turn.
const isInUse = part => part.contains(document.activeElement) || (part.contains(getSelection().anchorNode) && !getSelection().isCollapsed);

async function refresh(part) {
  if (document.hidden || isInUse(part)) return;
  const answer = await fetch(location.href, { headers: { accept: 'text/html' }, redirect: 'follow' });
  if (answer.redirected && new URL(answer.url).pathname !== location.pathname) {
    location.replace(answer.url);
    return;
  }
  if (!answer.ok) return;
  const there = new DOMParser().parseFromString(await answer.text(), 'text/html').getElementById(part.id);
  if (!there || isInUse(part)) return;
  part.replaceChildren(...there.childNodes);
  if (there.dataset.live) part.dataset.live = there.dataset.live;
  else delete part.dataset.live;
  tellTimes();
  offerCopies();
}

function live() {
  const part = document.querySelector('[data-live]');
  if (!part) return;
  setTimeout(() => refresh(part).catch(() => {}).finally(live), Number(part.dataset.live) * 1000);
}

tellTimes();
offerCopies();
setInterval(tellTimes, 1000);
live();
