// Small courtesies; every page works without them.
(() => {
  "use strict";

  // A second click on a form that is on its way sends nothing.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    if (form.method !== "post" || event.defaultPrevented) return;
    form.dataset.sent = "yes";
    for (const button of form.querySelectorAll("button")) button.setAttribute("aria-disabled", "true");
  });
  // The back button may bring the page as it was left.
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) {
      delete form.dataset.sent;
      for (const button of form.querySelectorAll("button")) button.removeAttribute("aria-disabled");
    }
  });

  // Propose a subdomain from the organisation's name until the person types their own.
  const organisation = document.querySelector("[data-proposes]");
  const slug = organisation && document.getElementById(organisation.dataset.proposes);
  if (slug) {
    let own = slug.value !== "";
    slug.addEventListener("input", (event) => { if (event.isTrusted) own = slug.value !== ""; });
    organisation.addEventListener("input", () => {
      if (own) return;
      slug.value = organisation.value.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase()
        .replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 40).replace(/-+$/, "");
      slug.dispatchEvent(new Event("input", { bubbles: true }));
    });
  }
})();
