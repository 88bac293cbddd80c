// The shop itself: products, a basket, who is signed in. What it tells Segue stands in the page's attributes
// and in the few calls of `segue` below.

const segue = window.segue;
const pounds = (amount) => "£" + amount.toFixed(2);
const [products, basket] = [
  (await (await fetch("products.jsonl")).text()).trim().split("\n").map((line) => JSON.parse(line)),
  JSON.parse(sessionStorage.basket || "[]"),
];
const byId = new Map(products.map((each) => [each.id, each]));

// ---- the shelf ----

for (const { id, title, price, category } of products) {
  const item = document.querySelector("#product").content.cloneNode(true);
  Object.assign(item.querySelector("li"), { id }).dataset.category = category;
  item.querySelector("b").textContent = title;
  item.querySelector("small").textContent = pounds(price);
  for (const button of item.querySelectorAll("button")) {
    button.dataset.segueProps = JSON.stringify({ product_id: id, category, price });
  }
  document.querySelector("#products").append(item);
}

// ---- the basket ----

const draw = () => {
  sessionStorage.basket = JSON.stringify(basket);
  const total = basket.reduce((sum, id) => sum + byId.get(id).price, 0);
  document.querySelector("#basket-total").textContent = `${basket.length} for ${pounds(total)}`;
};
draw();

document.addEventListener("click", ({ target }) => {
  const { segueTrack, segueProps, seguePropProductId } = target.dataset || {};
  if (segueTrack != "Product Added") return;
  basket.push(seguePropProductId || JSON.parse(segueProps).product_id);
  draw();
});

document.querySelector("#empty").addEventListener("click", () => {
  for (const id of basket.splice(0)) {
    const { price, category } = byId.get(id);
    segue.track("Product Removed", { product_id: id, price, category });
  }
  draw();
});

document.querySelector("#order").addEventListener("click", () => {
  const invoice = "W" + Date.now();
  for (const id of basket.splice(0)) {
    const { price } = byId.get(id);
    segue.track("purchase", { invoice, sku: id, quantity: 1, price, amount: price });
  }
  draw();
});

// ---- who it is ----

const show = (user) => {
  document.querySelector("#sign-in").hidden = !!user;
  document.querySelector("#sign-out").hidden = !user;
  document.querySelector("#sign-out output").textContent = user || "";
};
const post = (path, body) => fetch(path, { method: "POST", body: JSON.stringify(body) });
show(segue.userId);

document.querySelector("#sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  const user = new FormData(event.target).get("user").trim();
  if (!user || !(await post("/sign-in", { user })).ok) return;
  segue.identify(user);
  show(user);
});

document.querySelector("#sign-out").addEventListener("submit", async (event) => {
  event.preventDefault();
  await post("/sign-out", {});
  segue.reset();
  basket.length = 0; // It was theirs: the next visitor has put nothing into it.
  draw();
  show();
});

// ---- consent ----

const gate = document.querySelector("#consent");
gate.hidden = segue.active || sessionStorage.consent == "no";
gate.addEventListener("click", ({ target }) => {
  if (!target.value) return;
  gate.hidden = true;
  if (target.value == "no") sessionStorage.consent = "no";
  segue.consent(target.value == "yes");
});
