// A field to draw a signature in: lines of points go into the hidden input as JSON.
(() => {
  const canvas = document.querySelector("[data-signature]");
  if (!canvas) return;
  const field = document.getElementById(canvas.dataset.signature);
  const pen = canvas.getContext("2d");
  let lines = [];
  canvas.closest("[hidden]")?.removeAttribute("hidden");

  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    const x = ((event.clientX - box.left) * canvas.width) / box.width;
    const y = ((event.clientY - box.top) * canvas.height) / box.height;
    const within = (value, most) => Math.round(Math.min(Math.max(value, 0), most));
    return [within(x, canvas.width), within(y, canvas.height)];
  };

  const draw = () => {
    pen.clearRect(0, 0, canvas.width, canvas.height);
    pen.lineWidth = 3;
    pen.lineCap = pen.lineJoin = "round";
    pen.strokeStyle = "#14201f";
    for (const line of lines) {
      pen.beginPath();
      line.forEach(([x, y], index) => (index ? pen.lineTo(x, y) : pen.moveTo(x, y)));
      pen.stroke();
    }
    field.value = lines.length ? JSON.stringify(lines) : "";
  };

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    lines.push([at(event)]);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!canvas.hasPointerCapture(event.pointerId)) return;
    lines[lines.length - 1].push(at(event));
    draw();
  });
  document.querySelector("[data-clears]")?.addEventListener("click", () => {
    lines = [];
    draw();
  });
})();
