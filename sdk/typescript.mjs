// How @hey-api/openapi-ts writes the TypeScript client: openapi-ts --file sdk/typescript.mjs --input openapi.yaml --output purser
export default {
  plugins: ["@hey-api/typescript", "@hey-api/sdk", "@hey-api/client-fetch"],
};
