//! REST of v2beta1 and the web page.
