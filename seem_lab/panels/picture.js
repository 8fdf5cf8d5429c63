// A panel in the browser: its picture with alt text, its sentence as a live region, and names for its sliders, whose
// handles ipywidgets leaves nameless.

function nameSliders(panel) {
  for (const slider of panel.querySelectorAll(".widget-slider")) {
    const name = slider.querySelector(".widget-label")?.textContent ?? "";
    const readout = slider.querySelector(".widget-readout");
    for (const handle of slider.querySelectorAll("[role=slider]")) {
      handle.setAttribute("aria-label", name);
      handle.setAttribute("aria-valuetext", `${name} ${readout?.textContent ?? ""}`);
    }
    if (readout?.isContentEditable) {
      readout.setAttribute("role", "textbox");
      readout.setAttribute("aria-label", `${name}, value`);
    }
  }
}

function base64(view) {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  let text = "";
  // In pieces: in some browsers a function takes 65,536 arguments at most.
  for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
  return btoa(text);
}

function render({ model, el }) {
  const image = document.createElement("img");
  const status = document.createElement("p");
  const alert = document.createElement("p");
  image.width = model.get("width");
  image.height = model.get("height");
  image.draggable = false;
  Object.assign(image.style, { maxWidth: "100%", height: "auto", display: "block" });
  status.setAttribute("role", "status");
  alert.setAttribute("role", "alert");
  Object.assign(status.style, { maxWidth: `${model.get("width")}px`, margin: "0.4em 0" });
  alert.style.fontWeight = "bold";
  el.replaceChildren(image, status, alert);

  function show() {
    image.src = `data:image/png;base64,${base64(model.get("png"))}`; // loads sooner than the address of a Blob
  }
  function say() {
    image.alt = model.get("alt");
    status.setAttribute("aria-busy", String(model.get("busy")));
    status.textContent = model.get("status");
    alert.textContent = model.get("alert");
    const panel = el.closest(".seem-panel");
    if (panel) nameSliders(panel);
  }
  function point(event) {
    if (event.buttons !== 1) return;
    const box = image.getBoundingClientRect();
    const scale = model.get("width") / box.width;
    model.set("pointer", [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale]);
    model.save_changes();
  }
  if (model.get("listens")) {
    Object.assign(image.style, { cursor: "crosshair", touchAction: "none" });
    image.addEventListener("pointerdown", (event) => {
      image.setPointerCapture(event.pointerId);
      point(event);
    });
    image.addEventListener("pointermove", point);
  }

  show();
  say();
  model.on("change:png", show);
  model.on("change:alt change:status change:alert change:busy", say);
  // The sliders may come later than the picture.
  const soon = setInterval(() => {
    const panel = el.closest(".seem-panel");
    if (!panel || panel.querySelector(".widget-slider:not(:has([role=slider]))")) return;
    nameSliders(panel);
    clearInterval(soon);
  }, 100);
  return () => clearInterval(soon);
}

export default { render };
