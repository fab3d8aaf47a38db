// Opens Swagger UI on the chosen service and puts its English labels into Chinese.
"use strict";

const CHINESE = {
  "Authorize": "登录授权",
  "Available authorizations": "授权方式",
  "Logout": "退出",
  "Close": "关闭",
  "Try it out": "试一试",
  "Cancel": "取消",
  "Reset": "重置",
  "Execute": "发送",
  "Clear": "清除",
  "Parameters": "参数",
  "No parameters": "没有参数",
  "Name": "名称",
  "Description": "说明",
  "Request body": "请求内容",
  "required": "必填",
  "Responses": "响应",
  "Response": "响应",
  "Server response": "服务器的响应",
  "Response body": "响应内容",
  "Response headers": "响应头",
  "Request duration": "用时",
  "Request URL": "请求地址",
  "Code": "状态码",
  "Details": "详情",
  "Links": "链接",
  "No links": "无链接",
  "Media type": "媒体类型",
  "Controls": "由 ",
  "header.": " 请求头指定。",
  "Example Value": "示例",
  "Edit Value": "编辑",
  "Schema": "结构",
  "Servers": "服务地址",
  "Schemas": "数据结构",
  "Example": "示例",
  "Examples": "示例",
  "Expand all": "全部展开",
  "Collapse all": "全部收起",
  "Download": "下载",
  "Value:": "值：",
  "Default value": "默认值",
  "Loading": "加载中",
  "Send empty value": "发送空值",
  "Successful Response": "成功",
};

const mount = document.getElementById("swagger-ui");

// Only the text of existing nodes is changed, so React's tree stays as it is.
function translate(root) {
  const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    const chinese = CHINESE[text.data.trim()];
    if (chinese !== undefined && !text.parentElement.closest("pre, code, textarea")) {
      text.data = chinese;
    }
  }
}

new MutationObserver(() => translate(mount)).observe(mount, {
  childList: true,
  subtree: true,
  characterData: true,
});

SwaggerUIBundle({
  url: mount.dataset.spec,
  domNode: mount,
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  persistAuthorization: true,
  showExtensions: true,
  validatorUrl: null, // the default asks another host
});
