(() => {
  const origin = new URL(document.currentScript.src).origin;
  const years = 2 * 365 * 24 * 60 * 60;
  for (const [name, version] of [["_ga", "GA1.1"], ["_ga_TEST", "GS1.1"]]) {
    if (document.cookie.split("; ").some((pair) => pair.startsWith(`${name}=`))) continue;
    const [id, now] = [Math.random() * 2 ** 31, Date.now() / 1000].map(Math.floor);
    document.cookie = `${name}=${version}.${id}.${now}; Path=/; Max-Age=${years}`;
  }
  navigator.sendBeacon(`${origin}/collect?page=${encodeURIComponent(location.pathname)}`);
})();
