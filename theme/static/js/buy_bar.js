// The bar leads to the box with the price, and goes while that is in sight.
const bar = document.querySelector(".buy-bar");
if (bar) new IntersectionObserver(([box]) => (bar.inert = box.isIntersecting)).observe(document.getElementById("buy"));
