// On phones, price and button stay at the foot of a course page until the box that they lead to is in sight.
const bar = document.querySelector(".buy-bar");
const box = document.getElementById("buy");
if (bar && box) {
  new IntersectionObserver(([seen]) => bar.classList.toggle("is-away", seen.isIntersecting)).observe(box);
}
