/* Tells what is seen and clicked on a customer's page, by the tracking API. What was not taken yet waits in the browser. */
(() => {
  "use strict";
  const { writeKey, login } = document.currentScript.dataset;
  if (navigator.globalPrivacyControl) return;

  const MOST = 100;
  const newId = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const anonymousId = localStorage.getItem("millpond_anonymous_id") || newId();
  localStorage.setItem("millpond_anonymous_id", anonymousId);
  const waiting = () => JSON.parse(localStorage.getItem("millpond_events") || "[]");
  const keep = (events) => localStorage.setItem("millpond_events", JSON.stringify(events.slice(-MOST)));

  // Only what is sent as the page is left has to outlive it.
  async function send(keepalive) {
    const batch = waiting();
    if (!batch.length) return;
    const headers = { Authorization: `Basic ${btoa(`${writeKey}:`)}`, "Content-Type": "application/json" };
    const body = JSON.stringify({ batch, sentAt: new Date().toISOString() });
    const answer = await fetch("/v1/batch", { method: "POST", keepalive, credentials: "omit", headers, body });
    await answer.text();
    // What is refused for good waits no longer; for 429 and 503 it is sent again with what comes next.
    if (answer.status === 429 || answer.status >= 500) return;
    const sent = new Set(batch.map((each) => each.messageId));
    keep(waiting().filter((each) => !sent.has(each.messageId)));
  }

  function tell(call, leaving = false) {
    const known = { messageId: newId(), anonymousId, timestamp: new Date().toISOString(), ...(login && { userId: login }) };
    keep([...waiting(), { ...known, context: { page: { path: location.pathname } }, ...call }]);
    send(leaving).catch(() => {});
  }

  const offers = [...document.querySelectorAll("[data-decision]")];
  const tellOf = (event, offer, leaving) => tell({
    type: "track",
    event,
    properties: { decision_id: offer.dataset.decision, offer_id: offer.dataset.offer, sku: offer.dataset.sku, position: offers.indexOf(offer) },
  }, leaving);
  const seen = new IntersectionObserver((entries) => entries.filter((entry) => entry.isIntersecting).forEach(({ target }) => {
    seen.unobserve(target);
    tellOf("Offer Shown", target);
  }), { threshold: 0.5 });

  tell({ type: "page", name: "Home" });
  for (const offer of offers) {
    seen.observe(offer);
    offer.querySelector("[data-tells]").addEventListener("click", () => tellOf("Offer Clicked", offer, true));
    offer.querySelector("[data-dismisses]").addEventListener("click", () => tellOf("Offer Dismissed", offer, true));
  }
})();
