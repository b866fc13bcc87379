"use strict";
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const form = document.querySelector(".filters");
  if (form) {
    form.hidden = false;
    const field = (name) => form.querySelector(`[data-filter=${name}]`);
    const talks = all(".talk").map((talk) => ({
      talk,
      words: talk.dataset.text.toLowerCase(),
      tags: talk.dataset.tags.split(" "),
      takes: all(".take", talk),
      chips: all(".chip", talk),
    }));
    const failing = new Set(["missed", "failed"]);
    const filter = () => {
      const words = field("text").value.trim().toLowerCase();
      const system = field("system").value;
      const tag = field("tag").value;
      const failures = field("failures").checked;
      const controls = field("controls").checked;
      let shown = 0;
      for (const { talk, words: text, tags, takes, chips } of talks) {
        let any = takes.length === 0 && !system && !failures;
        for (const take of takes) {
          const fits = (!system || take.dataset.system === system) && (!failures || failing.has(take.dataset.state))
            && (controls || take.dataset.role !== "control");
          take.hidden = !fits;
          any = any || fits;
        }
        for (const chip of chips) {
          chip.hidden = (Boolean(system) && !chip.classList.contains(system)) || (!controls && chip.dataset.role === "control");
        }
        talk.hidden = !(any && (!words || text.includes(words)) && (!tag || tags.includes(tag)));
        shown += talk.hidden ? 0 : 1;
      }
      form.querySelector("output").textContent = `${shown} of ${talks.length} conversations`;
      document.querySelector("[data-nothing]").hidden = shown > 0;
    };
    let waiting = 0;
    form.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(filter, 120); });
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("click", (event) => {
      const action = event.target.dataset.action;
      if (action) for (const { talk } of talks) if (!talk.hidden) talk.open = action === "open";
    });
    filter();
  }
  // Media events do not bubble, but they can be caught on their way down.
  document.addEventListener("play", (event) => {
    for (const other of all("audio")) if (other !== event.target) other.pause();
    const take = event.target.closest(".take");
    const drawing = take && take.querySelector(".timeline");
    if (!drawing) return;
    take.classList.add("playing");
    const head = drawing.querySelector(".playhead");
    const follow = () => {
      head.setAttribute("transform", `translate(${event.target.currentTime * drawing.dataset.scale},0)`);
      if (!event.target.paused) requestAnimationFrame(follow);
    };
    follow();
  }, true);
  document.addEventListener("seeked", (event) => {
    const drawing = event.target.closest(".take")?.querySelector(".timeline");
    drawing?.querySelector(".playhead").setAttribute("transform", `translate(${event.target.currentTime * drawing.dataset.scale},0)`);
  }, true);
  document.addEventListener("click", (event) => {
    const drawing = event.target.closest(".timeline");
    const sound = drawing?.closest(".take").querySelector("audio");
    if (!sound) return;
    const x = event.clientX - drawing.getBoundingClientRect().left - Number(drawing.dataset.gutter);
    const go = () => { sound.currentTime = Math.max(0, x / drawing.dataset.scale); };
    if (sound.readyState > 0) go(); else sound.addEventListener("loadedmetadata", go, { once: true });
    sound.play();
  });
})();
